import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Crypto } from '@nexus/crypto'
import { genesisOf, readGenesis, writeGenesis } from '../economy/genesis-file.ts'
import { identityIn } from './identities.ts'
import { DEMO_BALANCE_MICRO, PLAN } from './plan.ts'
import { GENESIS_FILE } from './state.ts'

/** Who takes part in the economy of the demonstration. */
export interface DemoEconomy {
  /** Path of the genesis file. */
  readonly genesis: string
  /** By name. */
  readonly nodeIds: ReadonlyMap<string, Uint8Array>
}

/** Makes, or finds, the genesis of the demonstration in its state folder: each node begins with the same. */
export function demoEconomy(crypto: Crypto, stateDir: string): DemoEconomy {
  const path = join(stateDir, GENESIS_FILE)
  const nodeIds = new Map(PLAN.map(({ name }) => [name, identityIn(crypto, join(stateDir, name)).nodeId] as const))
  if (!existsSync(path)) {
    const balances = [...nodeIds.values()].map((nodeId) => ({ nodeId, micro: DEMO_BALANCE_MICRO }))
    writeGenesis(path, genesisOf(crypto, balances))
  }
  const genesis = readGenesis(crypto, path)
  if ([...nodeIds.values()].some((nodeId) => genesis.account(nodeId).balance === 0n)) {
    throw new Error(`${path} knows other nodes; start with --fresh`)
  }
  return { genesis: path, nodeIds }
}
