import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import type { Vault } from '@nexus/vault'
import { openSqliteVault } from '@nexus/vault/sqlite'
import { onTestFinished } from 'vitest'

export const crypto = await nodeCrypto()
export const random = seededRandom('anchoring')

/** A folder that goes with its test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'nexus-anchoring-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

export async function openVault(path: string): Promise<Vault> {
  const seed = crypto.sha256(new TextEncoder().encode('the key of a test log'))
  const vault = await openSqliteVault({ path: join(path, 'ledger.db'), seed, crypto, random })
  onTestFinished(() => vault.close())
  return vault
}

let serial = 0

/** Appends `count` entries that no other is like. */
export async function grow(vault: Vault, count: number): Promise<void> {
  const requests = Array.from({ length: count }, () => {
    const idempotencyKey = `key-${serial++}`
    const requestHash = crypto.sha256(new TextEncoder().encode(idempotencyKey))
    const parties = { actor: 'did:key:app', account: `did:key:${serial % 7}` }
    return {
      ...parties,
      amount: 1_000n + BigInt(serial),
      policy: 1,
      route: 'POST/v1/entries',
      idempotencyKey,
      requestHash,
    }
  })
  await Promise.all(requests.map((request) => vault.append(request)))
}
