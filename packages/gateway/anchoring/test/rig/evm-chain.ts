import { join } from 'node:path'
import { secp256k1Secret } from '@nexus/anchoring'
import { EvmChain } from '@nexus/anchoring/evm'
import { SqliteQueue } from '@nexus/anchoring/sqlite'
import type { Vault } from '@nexus/vault'
import { onTestFinished } from 'vitest'
import { Anvil } from './anvil.ts'
import { crypto, random } from './ledger.ts'

export const ETHER = 10n ** 18n

/** A chain of its own with a StateAnchor, and an adapter whose account has one ether. */
export async function evmChain(path: string, depth: number, chainId = 31_337) {
  const anvil = await Anvil.start(chainId, join(path, `chain-${chainId}.json`))
  onTestFinished(() => anvil.down())
  const contract = await anvil.deploy()
  const secret = secp256k1Secret(crypto, random(32), `eip155:${chainId}`)
  const adapter = new EvmChain({ chainId, transport: anvil.transport, contract, secret, depth })
  await anvil.fund(adapter.anchorer, ETHER)
  return { anvil, adapter, secret }
}

export function queueOf(path: string, vault: Vault): SqliteQueue {
  const queue = new SqliteQueue(join(path, 'queue.db'), vault)
  onTestFinished(() => {
    try {
      queue.close()
    } catch {
      // The test closed it.
    }
  })
  return queue
}
