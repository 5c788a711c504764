import { KEYS_MAX } from './limits.ts'

/** An epoch whose key is known. */
export interface EpochKey {
  /** In hexadecimal, as its pulses carry it. */
  readonly id: string
  readonly idBytes: Uint8Array
  readonly key: Uint8Array
  /** Public key of the anchor whose epoch it is, in hexadecimal. */
  readonly anchor: string
  /** Until when what it authenticates counts; Infinity until another takes its place. */
  expiresMs: number
}

/** The keys that count now: the one to speak under, and those still listened to. */
export class KeyRing {
  readonly #keys = new Map<string, EpochKey>()
  #current: EpochKey | undefined

  /** The key to speak under. */
  get current(): EpochKey | undefined {
    return this.#current
  }

  find(nowMs: number, id: string): EpochKey | undefined {
    const found = this.#keys.get(id)
    return found !== undefined && found.expiresMs > nowMs ? found : undefined
  }

  /** Listens to `key` too; of too many the oldest that is not spoken under goes. */
  add(key: EpochKey): void {
    if (this.#keys.has(key.id)) return
    if (this.#keys.size >= KEYS_MAX) {
      for (const [id, old] of this.#keys) {
        if (old === this.#current) continue
        this.#forget(id, old)
        break
      }
    }
    this.#keys.set(key.id, key)
  }

  /** Speaks under the key of this id, known already; the one before counts until `previousUntilMs`. */
  speakUnder(id: string, previousUntilMs: number): void {
    const next = this.#keys.get(id)
    if (next === undefined) throw new RangeError(`no key of epoch ${id}`)
    if (next === this.#current) return
    if (this.#current !== undefined) this.#current.expiresMs = previousUntilMs
    next.expiresMs = Number.POSITIVE_INFINITY
    this.#current = next
  }

  /** Forgets keys whose time is over. */
  expire(nowMs: number): void {
    for (const [id, key] of this.#keys) if (key.expiresMs <= nowMs) this.#forget(id, key)
  }

  clear(): void {
    for (const [id, key] of this.#keys) this.#forget(id, key)
    this.#current = undefined
  }

  #forget(id: string, key: EpochKey): void {
    key.key.fill(0)
    this.#keys.delete(id)
  }
}
