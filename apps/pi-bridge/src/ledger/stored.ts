import { fromHex } from '@nexus/codec'
import { Ledger, readStoredLedger, type StoredLedger } from '@nexus/crdt-ledger'
import type { Crypto } from '@nexus/crypto'
import { CommandFailure } from '../cli/failure.ts'
import type { GlobalFlags } from '../cli/frame.ts'
import { existingState, readState, type StateFlags } from '../cli/state-file.ts'

export interface OpenedLedger {
  readonly path: string
  readonly stored: StoredLedger
  /** The replica as the node would make it at its next start. */
  readonly ledger: Ledger
}

/**
 * Reads the ledger in a node's state file and changes nothing: the node may be running.
 * @throws {CommandFailure} where there is no file, or no ledger in it
 */
export function openLedger(crypto: Crypto, global: GlobalFlags, flags: StateFlags): OpenedLedger {
  const path = existingState(global, flags)
  const stored = readState(path, (store) => readStoredLedger(crypto, store))
  if (stored.snapshot === undefined) throw withoutSnapshot(path, stored)
  const ledger = new Ledger({ crypto, snapshot: stored.snapshot })
  ledger.load(stored.records)
  return { path, stored, ledger }
}

/** A NodeID of 32 hexadecimal digits. @throws {CommandFailure} for another text */
export function nodeIdFrom(text: string): Uint8Array {
  if (/^[0-9a-f]{32}$/i.test(text)) return fromHex(text)
  const message = `${JSON.stringify(text)} is no NodeID`
  throw new CommandFailure({ exit: 'usage', code: 'usage', message, next: 'a NodeID has 32 hexadecimal digits' })
}

function withoutSnapshot(path: string, { damaged }: StoredLedger): CommandFailure {
  const [first] = damaged
  if (first === undefined) {
    const message = `${path} holds no ledger: the node takes no part in an economy`
    return new CommandFailure({ exit: 'notFound', code: 'no-ledger', message })
  }
  const message = `the snapshot in ${path} is damaged: ${first.why}`
  const next = 'the node puts it aside at its next start and learns the ledger again from its neighbours'
  return new CommandFailure({ exit: 'failed', code: 'snapshot-damaged', message, next })
}
