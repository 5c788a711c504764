import { type LedgerEntry, type SignedTreeHead, type Vault, VaultError } from '@nexus/vault'
import type { ProofBundle } from './bundle.ts'
import type { AnchorStore } from './store.ts'

/** What of a vault proofs are made from. */
export type ProofSource = Pick<Vault, 'publicKey' | 'receipt' | 'inclusion'>

/**
 * The bundle of entry `index`, against the head that the most chains have confirmed among the first that covers it on
 * each; against its own signed head where no chain has one yet.
 * @throws {VaultError} `vault/range` for an entry that is not there
 */
export async function proveEntry(
  vault: ProofSource,
  store: AnchorStore,
  chains: readonly string[],
  index: number,
): Promise<ProofBundle> {
  const found = await vault.receipt(index)
  if (found === undefined) throw new VaultError({ code: 'vault/range', size: 0, wanted: index })
  const anchored = mostHeld(store, chains, index)
  const head: SignedTreeHead = anchored[0]?.head ?? found.head
  const entry: LedgerEntry = found.entry
  const inclusion = await vault.inclusion(index, head.size)
  return { entry, inclusion, head, publicKey: vault.publicKey, receipts: anchored.map(({ receipt }) => receipt) }
}

function mostHeld(store: AnchorStore, chains: readonly string[], index: number) {
  const sizes = new Set(chains.flatMap((chain) => store.covering(chain, index)?.head.size ?? []))
  const held = [...sizes].sort((a, b) => a - b).map((size) => store.holding(size))
  return held.reduce((best, next) => (next.length > best.length ? next : best), [])
}
