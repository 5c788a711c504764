import type { Socket } from 'node:net'
import type { HostGate, Interface, InterfaceFacts } from '@nexus/transport'
import { encodeHdlc, HdlcDecoder, type HdlcFault, hdlcBytesMax } from './hdlc.ts'
import { type ConnectionSettings, KEEPALIVE_MS } from './options.ts'
import { SLAB_BYTES, type Slab, type SlabPool } from './slabs.ts'

/** How long a closing connection may take to hand its last bytes to the kernel. */
const LINGER_MS = 250

/** What goes out before a turn of the event loop ends: the other end has work while this one goes on. */
const WRITE_BYTES = 16_384

/** What connections of one transport share. */
export interface ConnectionContext {
  readonly gate: HostGate
  readonly settings: ConnectionSettings
  readonly slabs: SlabPool
}

/** One TCP connection as an interface: HDLC frames both ways, what a turn of the event loop sends goes out in few writes. */
export class TcpConnection implements Interface {
  readonly facts: InterfaceFacts
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  readonly #gate: HostGate
  readonly #settings: ConnectionSettings
  readonly #slabs: SlabPool
  readonly #waiting: Slab[] = []
  #flush: NodeJS.Immediate | undefined
  #queuedBytes = 0
  #refused = false
  #open = true
  #framed = false
  /** Whether the chunk at hand ended a frame: the clock is read once for all of them. */
  #heard = false
  #faults = 0
  #heardMs = performance.now()
  #takenMs = performance.now()

  constructor(socket: Socket, id: string, context: ConnectionContext) {
    const { mtuBytes, bitrateBps } = context.settings
    this.#socket = socket
    this.#gate = context.gate
    this.#settings = context.settings
    this.#slabs = context.slabs
    this.facts = {
      id,
      kind: 'tcp',
      mtuBytes,
      bitrateBps,
      duplex: 'full',
      dutyCycle: 1,
      reach: 'point',
      addressed: false,
    }
    const decoder = new HdlcDecoder({
      frameBytesMax: mtuBytes,
      onFrame: (frame) => this.#onFrame(frame),
      onFault: (fault) => this.#onFault(fault),
    })
    socket.setNoDelay(true)
    socket.setKeepAlive(true, KEEPALIVE_MS)
    socket.on('data', (chunk: Buffer) => {
      if (!this.#open) return
      decoder.push(chunk)
      if (!this.#heard) return
      this.#heard = false
      this.#heardMs = performance.now()
    })
    let why = 'closed by the peer'
    socket.on('error', (error: NodeJS.ErrnoException) => {
      why = error.code ?? error.message
    })
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.fail(why)
        resolve()
      })
    })
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** The machine's own address that the connection uses. */
  get localHost(): string | undefined {
    const host = this.#socket.localAddress
    return host?.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host?.split('%')[0]
  }

  send(frame: Uint8Array): boolean {
    if (!this.#open) return false
    const { mtuBytes, queueBytesMax } = this.#settings
    const bytes = frame.length
    if (bytes === 0 || bytes > mtuBytes) {
      const interfaceId = this.facts.id
      this.#gate.problem({ code: 'transport/frame-size', interfaceId, bytes, mtuBytes })
      return false
    }
    const roomBytes = hdlcBytesMax(bytes)
    if (this.#queuedBytes + roomBytes > queueBytesMax) {
      this.#refused = true
      return false
    }
    let slab = this.#waiting.at(-1)
    if (slab === undefined || slab.used + roomBytes > SLAB_BYTES) {
      slab = this.#slabs.take()
      this.#waiting.push(slab)
    }
    const used = encodeHdlc(frame, slab.bytes, slab.used, slab.view)
    if (this.#queuedBytes === 0) this.#takenMs = performance.now()
    this.#queuedBytes += used - slab.used
    slab.used = used
    if (used >= WRITE_BYTES) this.#write()
    else this.#flush ??= setImmediate(() => this.#write())
    return true
  }

  async close(): Promise<void> {
    this.shut('closed')
    await this.closed
  }

  /** Takes the interface down for `reason`; bytes already taken still go out, for a moment. */
  shut(reason: string): void {
    if (!this.#open) return
    this.#write()
    this.#end(reason)
    this.#socket.destroySoon()
    const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS)
    this.#socket.once('close', () => clearTimeout(linger))
  }

  /** Takes the interface down at once, without regard for what waits. */
  fail(reason: string): void {
    if (this.#open) this.#end(reason)
    this.#socket.destroy()
  }

  /** Closes a connection that is silent or stuck; called about once a second. */
  check(nowMs: number): void {
    const { firstFrameMs, idleMs, stallMs } = this.#settings
    const silentMs = nowMs - this.#heardMs
    if (!this.#framed && silentMs > firstFrameMs) this.#limit(`no frame within ${firstFrameMs} ms`)
    else if (silentMs > idleMs) this.fail(`silent for ${idleMs} ms`)
    else if (this.#queuedBytes > 0 && nowMs - this.#takenMs > stallMs) this.#limit(`takes nothing for ${stallMs} ms`)
  }

  #onFrame(frame: Uint8Array): void {
    if (!this.#open) return
    this.#framed = true
    this.#heard = true
    this.#gate.frame(this, frame)
  }

  #onFault(fault: HdlcFault): void {
    if (!this.#open) return
    this.#faults++
    // A peer that sends longer frames speaks another protocol or wants our memory; neither gets better.
    if (fault === 'escape' && this.#faults < this.#settings.faultsMax) return
    const interfaceId = this.facts.id
    const why = fault === 'oversize' ? `a frame over ${this.facts.mtuBytes} bytes` : `${this.#faults} malformed frames`
    this.#gate.problem({ code: 'transport/framing', interfaceId, why })
    this.fail(why)
  }

  #limit(why: string): void {
    this.#gate.problem({ code: 'transport/limit', interfaceId: this.facts.id, why })
    this.fail(why)
  }

  #write(): void {
    clearImmediate(this.#flush)
    this.#flush = undefined
    const slabs = this.#waiting.splice(0)
    if (slabs.length > 1) this.#socket.cork()
    for (const slab of slabs) {
      this.#socket.write(slab.bytes.subarray(0, slab.used), () => this.#onWritten(slab))
    }
    if (slabs.length > 1) this.#socket.uncork()
  }

  #onWritten(slab: Slab): void {
    this.#queuedBytes -= slab.used
    this.#takenMs = performance.now()
    this.#slabs.give(slab)
    if (!this.#refused || !this.#open || this.#queuedBytes > this.#settings.queueBytesMax / 2) return
    this.#refused = false
    this.#gate.drain(this)
  }

  #end(reason: string): void {
    this.#open = false
    clearImmediate(this.#flush)
    this.#flush = undefined
    for (const slab of this.#waiting.splice(0)) {
      this.#queuedBytes -= slab.used
      this.#slabs.give(slab)
    }
    this.#gate.down(this, reason)
  }
}
