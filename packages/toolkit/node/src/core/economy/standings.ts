import { ByteReader, ByteWriter, CodecError, toHex } from '@nexus/codec'
import type { RelayStanding } from '@nexus/vrf-lottery'
import { STANDINGS_MAX } from '../limits.ts'
import type { Store } from '../store.ts'

const PREFIX = 'lottery/'

/** What neighbours paid and owe by the lottery, kept between runs: `paid packets u64 | n × (epoch u32, owed μNXS u64)`. */
export class Standings {
  readonly #store: Store
  /** Keys of those that are kept. */
  readonly #keys: Set<string>

  constructor(store: Store) {
    this.#store = store
    this.#keys = new Set([...store.entries(PREFIX)].map(([key]) => key))
  }

  get(nodeId: Uint8Array): RelayStanding | undefined {
    return this.#read(PREFIX + toHex(nodeId))
  }

  /** Of too many, who owes least is forgotten, and among those who paid for the fewest packets. */
  keep(nodeId: Uint8Array, { paidPackets, owedMicro }: RelayStanding): void {
    const key = PREFIX + toHex(nodeId)
    if (paidPackets === 0 && owedMicro.size === 0) return this.#delete(key)
    const writer = new ByteWriter(8 + 12 * owedMicro.size).u64(BigInt(paidPackets))
    for (const [epoch, micro] of owedMicro) writer.u32(epoch).u64(BigInt(Math.ceil(micro)))
    this.#store.put(key, writer.finish())
    this.#keys.add(key)
    if (this.#keys.size > STANDINGS_MAX) this.#delete(this.#least())
  }

  #least(): string {
    let least: { key: string; owed: number; paidPackets: number } | undefined
    for (const key of this.#keys) {
      const { paidPackets, owedMicro } = this.#read(key) ?? { paidPackets: 0, owedMicro: new Map<number, number>() }
      let owed = 0
      for (const micro of owedMicro.values()) owed += micro
      const isLess =
        least === undefined || owed < least.owed || (owed === least.owed && paidPackets < least.paidPackets)
      if (isLess) least = { key, owed, paidPackets }
    }
    return least!.key
  }

  #delete(key: string): void {
    if (this.#keys.delete(key)) this.#store.delete(key)
  }

  #read(key: string): RelayStanding | undefined {
    const bytes = this.#store.get(key)
    if (bytes === undefined) return undefined
    try {
      const reader = new ByteReader(bytes)
      const paidPackets = Number(reader.u64())
      const owedMicro = new Map<number, number>()
      while (reader.remaining > 0) owedMicro.set(reader.u32(), Number(reader.u64()))
      return { paidPackets, owedMicro }
    } catch (error) {
      if (!(error instanceof CodecError)) throw error
      return undefined
    }
  }
}
