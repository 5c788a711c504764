import { bz2Compress } from './bz2-encode.ts'
import type { Channel } from './channel.ts'
import { decodeStreamMessage, encodeStreamMessage, STREAM_MESSAGE_TYPE, streamBytes } from './channel-codec.ts'
import { ReticulumError } from './errors.ts'
import { Feed } from './feed.ts'
import { STREAM_HEADER_BYTES, STREAM_ID_MAX } from './limits.ts'

/** Bytes that one message of a stream may decompress to: what Reticulum's writers take at a time. */
export const STREAM_CHUNK_BYTES_MAX = 16_384
/** Bytes that wait for a reader; while half of them do, no more are taken, and the peer sends them again. */
export const STREAM_BYTES_WAITING_MAX: number = 4 * 1024 * 1024
/** Streams that one channel reads. */
export const STREAMS_MAX = 64
const COMPRESS_FROM_BYTES = 128

/** Byte streams within a channel, by their ids: what Reticulum calls buffers. */
export class Streams {
  readonly #channel: Channel
  readonly #readers = new Map<number, Feed<Uint8Array>>()

  constructor(channel: Channel) {
    this.#channel = channel
    const isBusy = () => [...this.#readers.values()].some((reader) => reader.isBusy)
    channel.handle(STREAM_MESSAGE_TYPE, {
      take: (data) => this.#receive(data),
      get isBusy() {
        return isBusy()
      },
    })
  }

  /**
   * Bytes that the peer writes to stream `id` from now on, until it ends it; who does not read them holds the channel up.
   * @throws {ReticulumError} `reticulum/limit`
   */
  read(id: number): AsyncIterable<Uint8Array> {
    checkId(id)
    let reader = this.#readers.get(id)
    if (reader === undefined) {
      if (this.#readers.size >= STREAMS_MAX) {
        throw new ReticulumError({ code: 'reticulum/limit', what: 'streams', max: STREAMS_MAX })
      }
      reader = new Feed(0, ({ length }) => length, STREAM_BYTES_WAITING_MAX)
      this.#readers.set(id, reader)
    }
    return reader.values()
  }

  /** Writes to stream `id`, compressed where that pays; resolves when the peer has proved all of it. */
  async write(id: number, bytes: Uint8Array): Promise<void> {
    checkId(id)
    const roomBytes = this.#channel.mduBytes - STREAM_HEADER_BYTES
    for (let at = 0; at < bytes.length; ) {
      const chunk = bytes.subarray(at, at + roomBytes)
      const packed = chunk.length >= COMPRESS_FROM_BYTES ? bz2Compress(chunk) : chunk
      const compressed = packed.length < chunk.length
      const message = { streamId: id, endOfStream: false, compressed, payload: compressed ? packed : chunk }
      await this.#channel.sendSystem(STREAM_MESSAGE_TYPE, encodeStreamMessage(message))
      at += chunk.length
    }
  }

  /** Tells the peer that stream `id` ends. */
  async end(id: number): Promise<void> {
    checkId(id)
    const message = { streamId: id, endOfStream: true, compressed: false, payload: new Uint8Array(0) }
    await this.#channel.sendSystem(STREAM_MESSAGE_TYPE, encodeStreamMessage(message))
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.end()
    this.#readers.clear()
  }

  #receive(data: Uint8Array): void {
    try {
      const message = decodeStreamMessage(data)
      const reader = this.#readers.get(message.streamId)
      if (reader === undefined) return
      const bytes = streamBytes(message, STREAM_CHUNK_BYTES_MAX)
      if (bytes.length > 0) reader.publish(bytes)
      if (!message.endOfStream) return
      reader.end()
      this.#readers.delete(message.streamId)
    } catch (error) {
      if (!(error instanceof ReticulumError)) throw error
    }
  }
}

function checkId(id: number): void {
  if (!Number.isInteger(id) || id < 0 || id > STREAM_ID_MAX) throw new RangeError(`stream ${id}`)
}
