import type { Socket } from 'node:dgram'

/**
 * Frames on their way into the kernel. It takes nearly all of them inside the call; one that has to wait must stand
 * still until it is gone, so frames are copied into a strip of memory that starts over whenever nothing waits.
 */
export class Outbox {
  readonly #socket: Socket
  readonly #strip: Uint8Array
  readonly #onError: (error: Error) => void
  readonly #onDrain: () => void
  #used = 0
  #refused = false

  constructor(socket: Socket, bytesMax: number, ports: { onError(error: Error): void; onDrain(): void }) {
    this.#socket = socket
    this.#strip = new Uint8Array(bytesMax)
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
      this.#refused = true
      return -1
    }
    this.#strip.set(frame, at)
    this.#used = at + frame.length
    return at
  }

  sendTo(at: number, length: number, host: string, port: number): void {
    this.#socket.send(this.#strip, at, length, port, host, this.#onSent)
  }

  readonly #onSent = (error: Error | null): void => {
    if (error !== null) this.#onError(error)
    if (!this.#refused || this.queuedBytes > this.#strip.length / 2) return
    this.#refused = false
    this.#onDrain()
  }
}
