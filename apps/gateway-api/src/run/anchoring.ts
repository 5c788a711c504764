import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { secp256k1Secret } from '@nexus/anchoring'
import type { AnchorEvent, Anchorer, ChainSetup } from '@nexus/anchoring/node'
import { fromHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import type { Vault } from '@nexus/vault'
import type { Logger } from 'pino'
import type { Loaded } from '../config/load.ts'
import type { ChainConfig } from '../config/schema.ts'

/** Names of the files in the state folder. */
export const QUEUE_FILE = 'anchors.db'

/** Starts to anchor where chains are configured. One that is down ends nothing. */
export async function openAnchorer(
  { anchoring, stateDir }: Loaded,
  crypto: Crypto,
  vault: Vault,
  log: Logger,
): Promise<Anchorer | undefined> {
  if (anchoring.chains.length === 0) return undefined
  // Chains bring large libraries along: without them the gateway starts faster.
  const [{ Anchorer }, { SqliteQueue }] = await Promise.all([
    import('@nexus/anchoring/node'),
    import('@nexus/anchoring/sqlite'),
  ])
  const chains = await Promise.all(anchoring.chains.map((chain) => setupOf(chain, crypto)))
  const anchorer = new Anchorer({
    vault,
    store: new SqliteQueue(join(stateDir, QUEUE_FILE), vault),
    chains,
    schedule: { everyEntries: anchoring.everyEntries, everyMs: anchoring.everyMinutes * 60_000 },
    report: (event) => logEvent(log, event),
  })
  anchorer.start()
  return anchorer
}

async function setupOf(chain: ChainConfig, crypto: Crypto): Promise<ChainSetup> {
  const [{ EvmChain }, { openChainKey }, { http }] = await Promise.all([
    import('@nexus/anchoring/evm'),
    import('@nexus/anchoring/node'),
    import('viem'),
  ])
  const passphrase = readFileSync(chain.keyPassphraseFile, 'utf8').split(/\r?\n/)[0]!
  const adapter = new EvmChain({
    chainId: chain.chainId,
    transport: http(chain.rpc),
    contract: fromHex(chain.contract.slice(2).toLowerCase()),
    secret: secp256k1Secret(crypto, openChainKey(crypto, chain.keyFile, passphrase), `eip155:${chain.chainId}`),
    depth: chain.depth,
  })
  return { adapter, dailyCap: BigInt(chain.dailyCap), patienceMs: chain.patienceMs }
}

function logEvent(log: Logger, event: AnchorEvent): void {
  const { chain } = event
  if (event.kind === 'step') log.info({ chain, ...event.step }, 'an anchor went on')
  else log.warn({ chain, reason: event.error.message, retryMs: event.retryMs }, 'a chain does not answer as it should')
}
