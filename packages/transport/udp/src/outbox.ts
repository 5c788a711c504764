import type { Socket } from 'node:dgram'
import { DRAIN_LOOK_MS, REPORTED_SENDS_MAX, REPORTED_SENDS_MS } from './limits.ts'

/**
 * Frames on their way into the kernel. It takes nearly all of them inside the call; one that has to wait must stand
 * still until it is gone, so frames are copied into a strip of memory that starts over whenever nothing waits. To hear
 * what became of a datagram costs a third of sending it: in a flood only the first ones of a moment are asked after.
 */
export class Outbox {
  readonly #socket: Socket
  readonly #strip: Buffer
  readonly #onError: (error: Error) => void
  readonly #onDrain: () => void
  #used = 0
  #momentMs = Number.NEGATIVE_INFINITY
  #reported = 0
  #drainLook: NodeJS.Timeout | undefined

  constructor(socket: Socket, bytesMax: number, ports: { onError(error: Error): void; onDrain(): void }) {
    this.#socket = socket
    this.#strip = Buffer.alloc(bytesMax)
    this.#onError = ports.onError
    this.#onDrain = ports.onDrain
  }

  get queuedBytes(): number {
    return this.#socket.getSendQueueSize()
  }

  /** Copies `frame` in for {@link Outbox.sendTo}; returns where it stands, or -1 where there is no room. */
  put(frame: Uint8Array): number {
    if (this.#socket.getSendQueueCount() === 0) this.#used = 0
    const at = this.#used
    if (at + frame.length > this.#strip.length) {
      this.#drainLook ??= setTimeout(this.#look, DRAIN_LOOK_MS)
      return -1
    }
    this.#strip.set(frame, at)
    this.#used = at + frame.length
    return at
  }

  sendTo(at: number, length: number, host: string, port: number): void {
    const nowMs = performance.now()
    if (nowMs - this.#momentMs >= REPORTED_SENDS_MS) {
      this.#momentMs = nowMs
      this.#reported = 0
    }
    if (this.#reported++ < REPORTED_SENDS_MAX) this.#socket.send(this.#strip, at, length, port, host, this.#onSent)
    else this.#socket.send(this.#strip, at, length, port, host)
  }

  /** Nothing more will be sent. */
  close(): void {
    clearTimeout(this.#drainLook)
  }

  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#onError(error)
  }

  /** After a frame found no room: once half of it is free again, the host may go on. */
  readonly #look = (): void => {
    const isFull = this.queuedBytes > this.#strip.length / 2
    this.#drainLook = isFull ? setTimeout(this.#look, DRAIN_LOOK_MS) : undefined
    if (!isFull) this.#onDrain()
  }
}
