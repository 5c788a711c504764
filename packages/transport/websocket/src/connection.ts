import type { Socket } from 'node:net'
import type { HostGate, Interface, InterfaceFacts } from '@nexus/transport'
import type { WebSocket } from 'ws'
import { HEADER_BYTES_MAX } from './options.ts'

/** How long the closing handshake may take. */
const CLOSE_MS_MAX = 250

export interface ConnectionLimits {
  readonly queueBytesMax: number
  readonly firstFrameMs: number
  readonly idleMs: number
  readonly stallMs: number
}

/** One accepted WebSocket as an interface. What a turn of the event loop sends goes out in one write. */
export class WebSocketConnection implements Interface {
  readonly facts: InterfaceFacts
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>
  readonly #socket: WebSocket
  readonly #stream: Socket
  readonly #gate: HostGate
  readonly #limits: ConnectionLimits
  #open = true
  #corked: NodeJS.Immediate | undefined
  #refused = false
  #framed = false
  #heardMs = performance.now()
  #takenMs = performance.now()

  constructor(socket: WebSocket, stream: Socket, facts: InterfaceFacts, gate: HostGate, limits: ConnectionLimits) {
    this.facts = facts
    this.#socket = socket
    this.#stream = stream
    this.#gate = gate
    this.#limits = limits
    socket.binaryType = 'nodebuffer'
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#onMessage(data, isBinary))
    let why = 'closed by the peer'
    socket.on('error', (error: Error & { code?: string }) => {
      why = error.code ?? error.message
      if (error.code?.startsWith('WS_ERR_')) {
        this.#gate.problem({ code: 'transport/framing', interfaceId: facts.id, why: error.message })
      }
      this.fail(why)
    })
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end(why)
        resolve()
      })
    })
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount
  }

  send(frame: Uint8Array): boolean {
    if (!this.#open) return false
    const bytes = frame.length
    const { mtuBytes, id: interfaceId } = this.facts
    if (bytes === 0 || bytes > mtuBytes) {
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    const queuedBytes = this.#socket.bufferedAmount
    if (queuedBytes + bytes + HEADER_BYTES_MAX > this.#limits.queueBytesMax) {
      this.#refused = true
      return false
    }
    if (queuedBytes === 0) this.#takenMs = performance.now()
    if (this.#corked === undefined) {
      this.#stream.cork()
      this.#corked = setImmediate(() => this.#uncork())
    }
    // The socket keeps what it is given until the kernel has taken it; these bytes are the caller's.
    this.#socket.send(frame.slice(), { binary: true, compress: false }, this.#onSent)
    return true
  }

  async close(): Promise<void> {
    this.shut('closed')
    await this.closed
  }

  /** Takes the interface down for `reason` and says goodbye. */
  shut(reason: string): void {
    if (!this.#open) return
    this.#uncork()
    this.#end(reason)
    this.#socket.close(1001)
    const limit = setTimeout(() => this.#socket.terminate(), CLOSE_MS_MAX)
    void this.closed.then(() => clearTimeout(limit))
  }

  /** Takes the interface down at once. */
  fail(reason: string): void {
    this.#end(reason)
    this.#socket.terminate()
  }

  /** Closes a connection that is silent or stuck; called about once a second. */
  check(nowMs: number): void {
    const { firstFrameMs, idleMs, stallMs } = this.#limits
    const silentMs = nowMs - this.#heardMs
    if (!this.#framed && silentMs > firstFrameMs) this.#limit(`no frame within ${firstFrameMs} ms`)
    else if (silentMs > idleMs) this.fail(`silent for ${idleMs} ms`)
    else if (this.queuedBytes > 0 && nowMs - this.#takenMs > stallMs) this.#limit(`takes nothing for ${stallMs} ms`)
  }

  #onMessage(data: Buffer, isBinary: boolean): void {
    if (!this.#open) return
    if (!isBinary) {
      this.#gate.problem({ code: 'transport/framing', interfaceId: this.facts.id, why: 'a text message' })
      this.#end('a text message')
      this.#socket.close(1003)
      return
    }
    if (data.length === 0) return
    this.#framed = true
    this.#heardMs = performance.now()
    this.#gate.frame(this, new Uint8Array(data.buffer, data.byteOffset, data.length))
  }

  #limit(why: string): void {
    this.#gate.problem({ code: 'transport/limit', interfaceId: this.facts.id, why })
    this.fail(why)
  }

  readonly #onSent = (): void => {
    this.#takenMs = performance.now()
    if (!this.#refused || this.#socket.bufferedAmount > this.#limits.queueBytesMax / 2) return
    this.#refused = false
    this.#gate.drain(this)
  }

  #uncork(): void {
    if (this.#corked === undefined) return
    clearImmediate(this.#corked)
    this.#corked = undefined
    this.#stream.uncork()
  }

  #end(reason: string): void {
    this.#uncork()
    if (!this.#open) return
    this.#open = false
    this.#gate.down(this, reason)
  }
}
