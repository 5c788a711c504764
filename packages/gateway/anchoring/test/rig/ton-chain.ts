import { ed25519Seed } from '@nexus/anchoring'
import { TonChain } from '@nexus/anchoring/node'
import { onTestFinished } from 'vitest'
import { crypto, random } from './ledger.ts'
import { TonServer } from './ton-server.ts'

export const TON = 1_000_000_000n

/** A chain of its own, and an adapter whose wallet has ten TON. */
export async function tonChain(globalId: number, settleSeconds = 10) {
  const server = await TonServer.start(globalId)
  onTestFinished(() => server.down())
  const seed = ed25519Seed(crypto, random(32), `tvm:${globalId}`)
  const adapter = new TonChain({ globalId, server, seed, settleSeconds })
  await server.fund(adapter.anchorer, 10n * TON)
  return { server, adapter, seed }
}
