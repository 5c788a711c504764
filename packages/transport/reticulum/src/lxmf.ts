import { concatBytes, encodeUtf8, equalBytes, toHex } from '@nexus/codec'
import { addressKey } from './bytes.ts'
import type { ReticulumCrypto } from './crypto.ts'
import type { Destination } from './destination.ts'
import { ReticulumError } from './errors.ts'
import { ExpiringMap } from './expiring-map.ts'
import { Feed } from './feed.ts'
import type { Identity } from './identity.ts'
import type { Known } from './known.ts'
import { PLAINTEXT_BYTES_MAX } from './limits.ts'
import type { Link } from './link.ts'
import {
  isLxmfFor,
  LXMF_NAME,
  type LxmfMessage,
  lxmfAppData,
  packLxmf,
  readLxmfAppData,
  unpackLxmf,
  verifyLxmf,
  withoutDestination,
} from './lxmf-message.ts'
import type { MsgPack } from './msgpack.ts'
import { nameHash } from './name.ts'
import type { CallOptions } from './ports.ts'
import type { RemoteDestination, Reticulum } from './reticulum.ts'

/** Ids of messages that are remembered, so that none is shown twice. */
export const LXMF_IDS_MAX = 8_192
const IDS_MS = 7 * 86_400_000
/** Links to recipients that are kept for the next message. */
export const LXMF_LINKS_MAX = 64
/** Bytes of a message that comes as a resource. */
export const LXMF_BYTES_MAX: number = 4 * 1024 * 1024
/** Senders that are looked up at once; messages of others are shown without waiting, their sender unknown. */
export const LXMF_LOOKUPS_MAX = 16
const RESOLVE_MS = 15_000

export interface LxmfOptions {
  readonly node: Reticulum
  readonly crypto: ReticulumCrypto
  readonly identity: Identity
  readonly displayName: string
  /** Milliseconds since 1970, and of a clock that never goes back. */
  readonly unixMs: () => number
  readonly nowMs: () => number
}

/** What is to be said. Text becomes UTF-8. */
export interface LxmfDraft {
  readonly title?: string
  readonly content: string | Uint8Array
  readonly fields?: ReadonlyMap<MsgPack, MsgPack>
}

/** `direct`: over a link, of any size. `opportunistic`: in one packet, without a link. */
export type LxmfMethod = 'direct' | 'opportunistic'

export interface LxmfSendOptions extends CallOptions {
  /** Default `opportunistic` where the message fits one packet, else `direct`. */
  readonly method?: LxmfMethod
}

/** A message that came. */
export interface ReceivedLxmf extends LxmfMessage {
  /** `valid`, `forged`, or `unknown` where the network does not know the sender's identity. */
  readonly signatureState: 'valid' | 'forged' | 'unknown'
  readonly method: LxmfMethod
}

/** Messages of LXMF to and from one identity, delivered by the sender itself: propagation nodes are not spoken with. */
export class Lxmf {
  /** The address to give to others. */
  readonly hash: Uint8Array
  readonly messages: Feed<ReceivedLxmf> = new Feed(64, ({ payload }) => payload.length)
  readonly #options: LxmfOptions
  readonly #destination: Destination
  readonly #seen = new ExpiringMap<true>(LXMF_IDS_MAX, IDS_MS)
  readonly #links = new Map<string, Link>()
  #lookups = 0

  /** Opens the delivery destination of the identity. @throws {TypeError} where it is open already */
  constructor(options: LxmfOptions) {
    this.#options = options
    const { node, identity, displayName } = options
    this.#destination = node.serve(identity, LXMF_NAME, {
      appData: lxmfAppData(displayName),
      resources: ({ totalBytes }) => totalBytes <= LXMF_BYTES_MAX,
    })
    this.hash = this.#destination.hash
    this.#destination.packets.subscribe(({ data }) => {
      void this.#receive(concatBytes(this.hash, data), 'opportunistic')
    })
    this.#destination.links.subscribe((link) => this.#listen(link))
  }

  announce(): void {
    this.#destination.announce()
  }

  /**
   * Delivers a message; resolves with its id when the recipient has proved that it came.
   * @throws {ReticulumError} `reticulum/no-path`, `reticulum/timeout`, `reticulum/closed`; `reticulum/form` where the
   * recipient asks for a stamp, which is not made here
   * @throws {RangeError} for an opportunistic message that does not fit one packet
   */
  async send(to: Uint8Array, draft: LxmfDraft, options: LxmfSendOptions = {}): Promise<Uint8Array> {
    const { node, crypto, identity, unixMs } = this.#options
    const known = await node.resolve(to, { timeoutMs: RESOLVE_MS, ...options })
    if (known.appData !== undefined && readLxmfAppData(known.appData).stampCost > 0) {
      throw new ReticulumError({
        code: 'reticulum/form',
        what: 'an LXMF message',
        why: 'the recipient asks for a stamp',
      })
    }
    const packed = packLxmf(crypto, { identity, hash: this.hash }, to, {
      timestamp: unixMs() / 1_000,
      title: encodeUtf8(draft.title ?? ''),
      content: typeof draft.content === 'string' ? encodeUtf8(draft.content) : draft.content,
      fields: draft.fields ?? new Map(),
    })
    const single = withoutDestination(packed)
    const method = options.method ?? (single.length <= PLAINTEXT_BYTES_MAX ? 'opportunistic' : 'direct')
    if (method === 'opportunistic') {
      const proved = await node.send(known, single, options).proved
      if (proved === undefined) throw new ReticulumError({ code: 'reticulum/timeout', what: 'an LXMF message' })
    } else await this.#sendDirect(known, packed, options)
    return unpackLxmf(crypto, packed).id
  }

  /** Closes the destination and the links. */
  close(): void {
    for (const link of this.#links.values()) link.close()
    this.#destination.close()
    this.messages.end()
  }

  async #sendDirect(to: RemoteDestination, packed: Uint8Array, options: CallOptions): Promise<void> {
    const link = await this.#linkTo(to, options)
    if (packed.length > link.mduBytes) {
      await link.sendResource(packed, options.signal === undefined ? {} : { signal: options.signal }).done
    } else if ((await link.send(packed).proved) === undefined) {
      throw new ReticulumError({ code: 'reticulum/timeout', what: 'an LXMF message' })
    }
  }

  async #linkTo(to: RemoteDestination, options: CallOptions): Promise<Link> {
    const key = addressKey(to.hash)
    const open = this.#links.get(key)
    if (open?.isOpen) return open
    const link = await this.#options.node.connect(to, {
      ...options,
      resources: ({ totalBytes }) => totalBytes <= LXMF_BYTES_MAX,
    })
    // The recipient may answer over the same link, once it knows whose it is.
    link.identify(this.#options.identity)
    this.#listen(link)
    this.#links.set(key, link)
    void link.closed.then(() => {
      if (this.#links.get(key) === link) this.#links.delete(key)
    })
    if (this.#links.size > LXMF_LINKS_MAX) this.#links.values().next().value?.close()
    return link
  }

  #listen(link: Link): void {
    link.packets.subscribe((packed) => void this.#receive(packed, 'direct'))
    link.resources.subscribe(({ data }) => void this.#receive(data, 'direct'))
  }

  async #receive(packed: Uint8Array, method: LxmfMethod): Promise<void> {
    const { crypto, nowMs } = this.#options
    let message: LxmfMessage
    try {
      message = unpackLxmf(crypto, packed)
    } catch (error) {
      if (error instanceof ReticulumError) return
      throw error
    }
    // The id leaves the signature out: a forged copy must not keep the genuine message away.
    const key = toHex(concatBytes(message.id, message.signature))
    if (!isLxmfFor(message, this.hash) || this.#seen.get(key, nowMs()) !== undefined) return
    this.#seen.set(key, true, nowMs())
    this.messages.publish({ ...message, method, signatureState: await this.#check(message) })
  }

  /** Looks the sender up, where its announce was not heard. */
  async #check(message: LxmfMessage): Promise<ReceivedLxmf['signatureState']> {
    const { node, crypto } = this.#options
    const known = node.known.get(message.source) ?? (await this.#lookUp(message.source))
    if (known === undefined || !equalBytes(known.nameHash, nameHash(crypto, LXMF_NAME))) return 'unknown'
    return verifyLxmf(message, known.identity) ? 'valid' : 'forged'
  }

  async #lookUp(source: Uint8Array): Promise<Known | undefined> {
    if (this.#lookups >= LXMF_LOOKUPS_MAX) return undefined
    this.#lookups++
    try {
      return await this.#options.node.resolve(source)
    } catch {
      return undefined
    } finally {
      this.#lookups--
    }
  }
}
