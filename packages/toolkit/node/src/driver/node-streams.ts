import { toHex } from '@nexus/codec'
import type { Stream, StreamEnd, StreamEventKind } from '@nexus/session'

/** A stream to or from another node: reliable, ordered, both ways, with forward secrecy. */
export interface NodeStream {
  /** NodeID of the other end, in hex. */
  readonly peer: string
  readonly isInitiator: boolean
  readonly state: 'opening' | 'open' | 'closed'
  /** Why it ended; set once closed. */
  readonly end: StreamEnd | undefined
  /** Bytes that {@link NodeStream.write} would take. */
  readonly writableBytes: number
  /** Bytes that {@link NodeStream.read} would give. */
  readonly readableBytes: number
  /** The other end closed its side and everything was read. */
  readonly isEnded: boolean
  /** Takes what there is room for and returns how much; a `writable` event follows where that was not all. */
  write(bytes: Uint8Array): number
  /** Up to `bytesMax` bytes in order, none where none came; lets the other end send as many more. */
  read(bytesMax?: number): Uint8Array
  /** Ends this side: what was written still arrives. */
  close(): void
  /** Ends both sides at once. @param code 0…254 for the application at the other end */
  reset(code?: number): void
}

/** What happened to a stream. */
export interface NodeStreamEvent {
  readonly kind: StreamEventKind
  readonly stream: NodeStream
}

/** The streams of the core as applications get them: with the clock, and with a look at the timers after each call. */
export class NodeStreams {
  readonly #now: () => number
  readonly #changed: () => void
  readonly #known = new WeakMap<Stream, NodeStream>()

  constructor(now: () => number, changed: () => void) {
    this.#now = now
    this.#changed = changed
  }

  /** The same object for the same stream. */
  of(stream: Stream): NodeStream {
    let known = this.#known.get(stream)
    if (known === undefined) {
      known = new ClockedStream(stream, this.#now, this.#changed)
      this.#known.set(stream, known)
    }
    return known
  }
}

class ClockedStream implements NodeStream {
  readonly peer: string
  readonly #stream: Stream
  readonly #now: () => number
  readonly #changed: () => void

  constructor(stream: Stream, now: () => number, changed: () => void) {
    this.peer = toHex(stream.peer.nodeId)
    this.#stream = stream
    this.#now = now
    this.#changed = changed
  }

  get isInitiator(): boolean {
    return this.#stream.isInitiator
  }

  get state(): NodeStream['state'] {
    return this.#stream.state
  }

  get end(): StreamEnd | undefined {
    return this.#stream.end
  }

  get writableBytes(): number {
    return this.#stream.writableBytes
  }

  get readableBytes(): number {
    return this.#stream.readableBytes
  }

  get isEnded(): boolean {
    return this.#stream.isEnded
  }

  write(bytes: Uint8Array): number {
    const taken = this.#stream.write(this.#now(), bytes)
    this.#changed()
    return taken
  }

  read(bytesMax?: number): Uint8Array {
    const bytes = this.#stream.read(this.#now(), bytesMax)
    this.#changed()
    return bytes
  }

  close(): void {
    this.#stream.close(this.#now())
    this.#changed()
  }

  reset(code?: number): void {
    this.#stream.reset(this.#now(), code)
    this.#changed()
  }
}
