import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { equalBytes, fromHex, toHex } from '@nexus/codec'
import { decodeSnapshot, encodeSnapshot, genesisSnapshot, LedgerError, type Snapshot } from '@nexus/crdt-ledger'
import type { Crypto } from '@nexus/crypto'
import { CommandFailure } from '../cli/failure.ts'

const NEXT = 'every node of an economy has the same file, from nexus-ledger genesis'

/** The snapshot that an economy began with. @throws {CommandFailure} where there is none, or a file of something else */
export function readGenesis(crypto: Crypto, path: string): Snapshot {
  if (!existsSync(path)) throw refusal(`there is no genesis at ${path}`)
  try {
    const snapshot = decodeSnapshot((bytes) => crypto.blake3(bytes), new Uint8Array(readFileSync(path)))
    if (snapshot.epoch !== 0n) throw refusal(`${path} is a snapshot of epoch ${snapshot.epoch}, not a genesis`)
    return snapshot
  } catch (error) {
    if (error instanceof LedgerError) throw refusal(`${path} holds no genesis: ${error.message}`)
    throw error
  }
}

/** Writes a genesis; never over another file. @throws {CommandFailure} */
export function writeGenesis(path: string, genesis: Snapshot): void {
  try {
    writeFileSync(path, encodeSnapshot(genesis), { flag: 'wx', mode: 0o644 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw refusal(code === 'EEXIST' ? `${path} is there already, and is not overwritten` : message)
  }
}

/** A genesis of these balances. @throws {CommandFailure} for an account that is named twice, or more than 2^64 − 1 in all */
export function genesisOf(crypto: Crypto, balances: readonly Balance[]): Snapshot {
  const twice = balances.find(({ nodeId }, at) => balances.findIndex((other) => equalBytes(other.nodeId, nodeId)) < at)
  if (twice !== undefined) throw usage(`${toHex(twice.nodeId)} is named twice`)
  try {
    return genesisSnapshot(
      (bytes) => crypto.blake3(bytes),
      balances.map(({ nodeId, micro }) => [nodeId, micro] as const),
    )
  } catch (error) {
    if (error instanceof LedgerError) throw usage(error.message)
    throw error
  }
}

/** `NodeID=amount`. @throws {CommandFailure} */
export function balanceFrom(text: string): Balance {
  const [, nodeId, amount] = /^([0-9a-f]{32})=([1-9][0-9]{0,19})$/i.exec(text) ?? []
  if (nodeId === undefined || amount === undefined) throw usage(`${JSON.stringify(text)} is no balance`)
  return { nodeId: fromHex(nodeId), micro: BigInt(amount) }
}

/** What an account begins with, in µNXS. */
export interface Balance {
  readonly nodeId: Uint8Array
  readonly micro: bigint
}

function usage(message: string): CommandFailure {
  const next = 'a balance is the 32 hexadecimal digits of a NodeID, =, and a whole amount in µNXS'
  return new CommandFailure({ exit: 'usage', code: 'usage', message, next })
}

function refusal(message: string): CommandFailure {
  return new CommandFailure({ exit: 'config', code: 'genesis', message, next: NEXT })
}
