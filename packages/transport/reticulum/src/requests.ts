import type { Appointment } from './agenda.ts'
import { addressKey, truncated } from './bytes.ts'
import { ReticulumError } from './errors.ts'
import type { LinkSession } from './link-session.ts'
import type { MsgPack } from './msgpack.ts'
import { CONTEXT, packetHash } from './packet.ts'
import type { CallOptions } from './ports.ts'
import {
  decodeRequest,
  decodeResponse,
  encodeRequest,
  encodeResponse,
  pathHash,
  type Request,
} from './request-codec.ts'
import type { ResourceAdvertisement } from './resource-codec.ts'
import type { ReceivedResource, Transfers } from './transfers.ts'

/** Requests that wait for their answers on one link, each way; the peer's beyond that are not answered. */
export const REQUESTS_MAX = 256
/** Bytes of a request, and of an answer, that is taken as a resource. */
export const REQUEST_BYTES_MAX: number = 1024 * 1024
export const RESPONSE_BYTES_MAX: number = 16 * 1024 * 1024
const TIMEOUT_MS = 10_000
/**
 * An answer leaves no sooner after its request: a peer of the reference sends first and notes its question after that, and
 * an answer that comes in between is lost to it.
 */
export const ANSWER_MS_MIN = 10

/** Answers a request; `undefined` is no answer. */
export type Answer = (request: Request, requestId: Uint8Array) => Promise<MsgPack | undefined>

interface Pending {
  settle(value: MsgPack | Error): void
  timer: Appointment
}

/** Requests and their answers over one link, both ways. */
export class Requests {
  readonly #session: LinkSession
  readonly #transfers: Transfers
  readonly #answer: Answer
  readonly #pending = new Map<string, Pending>()
  #serving = 0

  constructor(session: LinkSession, transfers: Transfers, answer: Answer) {
    this.#session = session
    this.#transfers = transfers
    this.#answer = answer
  }

  /** Asks; resolves with the answer. @throws {ReticulumError} `reticulum/timeout`, `reticulum/closed`, `reticulum/limit` */
  request(path: string, data: MsgPack, options: CallOptions): Promise<MsgPack> {
    const { crypto, unixMs } = this.#session.ports
    if (this.#pending.size >= REQUESTS_MAX) {
      throw new ReticulumError({ code: 'reticulum/limit', what: 'requests', max: REQUESTS_MAX })
    }
    options.signal?.throwIfAborted()
    const packed = encodeRequest({ requestedAt: unixMs() / 1_000, pathHash: pathHash(crypto, path), data })
    if (packed.length <= this.#session.mduBytes) {
      const packet = this.#session.sendSealed(CONTEXT.request, packed)
      return this.#expect(truncated(packetHash(crypto, packet)), path, options)
    }
    const requestId = truncated(crypto.sha256(packed))
    const answer = this.#expect(requestId, path, options)
    const settle = (error: Error) => this.#pending.get(addressKey(requestId))?.settle(error)
    const { signal } = options
    const sendOptions = signal === undefined ? {} : { signal }
    this.#transfers.send(packed, sendOptions, { requestId, isRequest: true }).done.catch(settle)
    return answer
  }

  /** A request that came as a packet. @throws {ReticulumError} */
  requested(plaintext: Uint8Array, packet: Uint8Array): void {
    const { crypto } = this.#session.ports
    void this.#serve(decodeRequest(plaintext), truncated(packetHash(crypto, packet)))
  }

  /** An answer that came as a packet. @throws {ReticulumError} */
  responded(plaintext: Uint8Array): void {
    const { requestId, value } = decodeResponse(plaintext)
    this.#pending.get(addressKey(requestId))?.settle(value)
  }

  /** A request or an answer that came as a resource. @throws {ReticulumError} */
  received(resource: ReceivedResource, kind: 'request' | 'response'): void {
    if (kind === 'response') this.responded(resource.data)
    else void this.#serve(decodeRequest(resource.data), truncated(this.#session.ports.crypto.sha256(resource.data)))
  }

  /** Bytes that a resource of this purpose may have. */
  expected({ isResponse, requestId }: ResourceAdvertisement): number {
    if (!isResponse) return REQUEST_BYTES_MAX
    const pending = requestId === undefined ? undefined : this.#pending.get(addressKey(requestId))
    if (pending === undefined) return 0
    // The answer is on its way: how long it takes is the transfer's affair.
    pending.timer.cancel()
    return RESPONSE_BYTES_MAX
  }

  failed({ isResponse, requestId }: ResourceAdvertisement, why: string): void {
    if (!isResponse || requestId === undefined) return
    this.#pending.get(addressKey(requestId))?.settle(closedError(why))
  }

  close(why: string): void {
    for (const { settle } of [...this.#pending.values()]) settle(closedError(why))
  }

  #expect(requestId: Uint8Array, path: string, { signal, timeoutMs }: CallOptions): Promise<MsgPack> {
    const key = addressKey(requestId)
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#pending.delete(key)
        timer.cancel()
        signal?.removeEventListener('abort', abort)
      }
      // Whatever was given as the reason, which need not be an Error.
      const abort = () => {
        end()
        reject(signal?.reason)
      }
      const settle = (value: MsgPack | Error) => {
        end()
        if (value instanceof Error) reject(value)
        else resolve(value)
      }
      const waitMs = timeoutMs ?? TIMEOUT_MS + 6 * this.#session.roundTripMs
      const timer = this.#session.agenda.after(waitMs, () => {
        settle(new ReticulumError({ code: 'reticulum/timeout', what: `a request for ${path}` }))
      })
      signal?.addEventListener('abort', abort)
      this.#pending.set(key, { settle, timer })
    })
  }

  async #serve(request: Request, requestId: Uint8Array): Promise<void> {
    if (this.#serving >= REQUESTS_MAX) return
    const { nowMs, fault } = this.#session.ports
    const askedMs = nowMs()
    this.#serving++
    try {
      const value = await this.#answer(request, requestId)
      const restMs = Math.max(0, ANSWER_MS_MIN - (nowMs() - askedMs))
      this.#session.agenda.after(restMs, () => {
        this.#serving--
        this.#respond(requestId, value)
      })
    } catch (error) {
      this.#serving--
      fault?.(error)
    }
  }

  #respond(requestId: Uint8Array, value: MsgPack | undefined): void {
    if (value === undefined || !this.#session.isOpen) return
    try {
      const packed = encodeResponse({ requestId, value })
      if (packed.length <= this.#session.mduBytes) this.#session.sendSealed(CONTEXT.response, packed)
      else this.#transfers.send(packed, {}, { requestId, isResponse: true })
    } catch (error) {
      this.#session.ports.fault?.(error)
    }
  }
}

function closedError(why: string): ReticulumError {
  return new ReticulumError({ code: 'reticulum/closed', what: 'a request', why })
}
