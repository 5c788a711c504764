import { Budget } from './budget.ts'
import type { NodeType } from './datagram.ts'
import { ADDRESS_BURST, ADDRESSES_MAX, ANSWER_EVERY_MS, CALLERS_MAX, MEMBER_FORGET_MS, MEMBERS_MAX } from './limits.ts'
import type { Source } from './proof.ts'

/** A node that was heard, and what is needed against replays of it. */
export interface Voice {
  /** Public key in hexadecimal. */
  readonly hex: string
  readonly publicKey: Uint8Array
  readonly nodeId: Uint8Array
  boot: number
  sequence: number
  ego: number
  source: Source
  zoneHash: Uint8Array
  readonly firstHeardMs: number
  heardMs: number
  /** Of its last request. */
  nonce?: Uint8Array
  nonceMs?: number
  answeredMs?: number
}

/** A node that was heard under an epoch key. */
export interface Member extends Voice {
  /** Epoch id in hexadecimal of what was last heard. */
  epochId: string
  /** The anchor whose epoch that is, in hexadecimal. */
  follows: string
  /** No later than when this member heard its anchor. */
  anchorHeardMs: number
  isAnchor: boolean
  type: NodeType
  name: string
  uptimeSeconds: number
  /** X25519 of its static key and one's own; null where its key has none. */
  shared?: Uint8Array | null
}

/** Whether (boot, sequence) is one that was heard already. Strictly rising: on one link nothing is overtaken for long. */
export function isReplay(
  voice: Voice | undefined,
  spoken: { readonly boot: number; readonly sequence: number },
): boolean {
  if (voice === undefined || spoken.boot > voice.boot) return false
  return spoken.boot < voice.boot || spoken.sequence <= voice.sequence
}

/** Members by public key. Whoever may still be replayed is never pushed out: a full table refuses newcomers. */
export class Members {
  readonly #byKey = new Map<string, Member>()

  get size(): number {
    return this.#byKey.size
  }

  get(hex: string): Member | undefined {
    return this.#byKey.get(hex)
  }

  all(): IterableIterator<Member> {
    return this.#byKey.values()
  }

  hasRoom(): boolean {
    return this.#byKey.size < MEMBERS_MAX
  }

  add(member: Member): void {
    this.#byKey.set(member.hex, member)
  }

  /** Forgets those not heard for {@link MEMBER_FORGET_MS}. */
  forgetOld(nowMs: number): void {
    for (const [hex, { heardMs }] of this.#byKey) if (nowMs - heardMs > MEMBER_FORGET_MS) this.#byKey.delete(hex)
  }
}

/** Nodes heard without a key, the one not heard for longest first. */
export class Callers {
  readonly #byKey = new Map<string, Voice>()

  get size(): number {
    return this.#byKey.size
  }

  get(hex: string): Voice | undefined {
    return this.#byKey.get(hex)
  }

  all(): IterableIterator<Voice> {
    return this.#byKey.values()
  }

  /** Notes that it was heard now; of too many the one not heard for longest goes. */
  note(voice: Voice): void {
    this.#byKey.delete(voice.hex)
    if (this.#byKey.size >= CALLERS_MAX) {
      const [oldest] = this.#byKey.keys()
      if (oldest !== undefined) this.#byKey.delete(oldest)
    }
    this.#byKey.set(voice.hex, voice)
  }

  delete(hex: string): void {
    this.#byKey.delete(hex)
  }

  clear(): void {
    this.#byKey.clear()
  }
}

/** How often each source address may be answered. */
export class AddressBudgets {
  readonly #byAddress = new Map<string, Budget>()

  /** Whether {@link take} would be granted; notes nothing. */
  allows(nowMs: number, address: string): boolean {
    return (this.#byAddress.get(address)?.nextMs(nowMs) ?? nowMs) <= nowMs
  }

  take(nowMs: number, address: string): boolean {
    const budget = this.#byAddress.get(address) ?? new Budget(ADDRESS_BURST, 1_000 / ANSWER_EVERY_MS)
    this.#byAddress.delete(address)
    if (this.#byAddress.size >= ADDRESSES_MAX) {
      const [oldest] = this.#byAddress.keys()
      if (oldest !== undefined) this.#byAddress.delete(oldest)
    }
    this.#byAddress.set(address, budget)
    return budget.take(nowMs)
  }
}
