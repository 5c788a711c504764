import { encodeUtf8 } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { nodeIdOf } from '@nexus/identity'
import { didKey, type Role, signGrant } from '@nexus/sentry'
import { ed25519Signer, type RequestSigner } from '@nexus/sentry/client'
import { pino } from 'pino'
import { loadConfig } from '../src/config/load.ts'
import { type Gateway, openGateway } from '../src/run/gateway.ts'

export const crypto = await nodeCrypto()

/** A key that is always the same for one name. */
export const seedOf = (name: string): Uint8Array => crypto.sha256(encodeUtf8(`gateway test ${name}`))
export const didOf = (name: string): string => didKey(crypto.publicKey(seedOf(name)))
export const signerOf = (name: string): RequestSigner => ed25519Signer(crypto, seedOf(name))

export const ORIGIN = 'https://gateway.test'
const RATE = { perSecond: 100_000, burst: 100_000 }

export function openTestGateway(stateDir: string, overrides: object = {}): Promise<Gateway> {
  const config = loadConfig({ env: {}, flags: { stateDir, origin: ORIGIN, admins: didOf('admin') } })
  const rates = { address: RATE, identity: RATE, login: RATE }
  return openGateway({
    crypto,
    config: {
      ...config,
      listen: { host: '127.0.0.1', port: 0 },
      ops: { host: '127.0.0.1', port: 0 },
      rates,
      ...overrides,
    },
    seed: seedOf('gateway'),
    log: pino({ level: 'silent' }),
    onFailure: () => {},
  })
}

export function statementOf(who: string, role: Role, account: string | undefined, id = systemRandom(16)): Uint8Array {
  const what = { kind: 'grant' as const, id, subject: didOf(who), role, ...(account !== undefined && { account }) }
  const gateway = nodeIdOf(crypto, crypto.publicKey(seedOf('gateway')))
  return signGrant(crypto, seedOf('admin'), { what, gateway, timeMs: Date.now() })
}
