import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import type { AppendRequest } from '../src/index.ts'

export const crypto = await nodeCrypto()
export const seed = crypto.sha256(new TextEncoder().encode('the key of a test log'))
export const random = seededRandom('vault')

let serial = 0

/** A request that no other is like. */
export function request(fields: Partial<AppendRequest> = {}): AppendRequest {
  const key = `key-${serial++}`
  const requestHash = crypto.sha256(new TextEncoder().encode(fields.idempotencyKey ?? key))
  const parties = { actor: 'did:key:app', account: 'did:key:ann' }
  return {
    ...parties,
    amount: 1_005n,
    policy: 1,
    route: 'POST/v1/entries',
    idempotencyKey: key,
    requestHash,
    ...fields,
  }
}
