/** Fills the disk that holds a ledger, frees some of it, and says what was answered: run where that disk is small. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { recount, VaultError } from '../src/index.ts'
import { openSqliteVault, readSqliteLedger } from '../src/sqlite.ts'
import { crypto, random, request, seed } from './keys.ts'

const folder = process.argv[2]!
const path = join(folder, 'ledger.db')
const vault = await openSqliteVault({ path, seed, crypto, random })
writeFileSync(join(folder, 'ballast'), new Uint8Array(1 << 20))
let answered = 0
const refusals = new Set<string>()
for (let batch = 0; batch < 1_000 && refusals.size === 0; batch++) {
  const asked = Array.from({ length: 100 }, () => vault.append(request()))
  for (const outcome of await Promise.allSettled(asked)) {
    if (outcome.status === 'fulfilled') answered++
    else refusals.add(outcome.reason instanceof VaultError ? outcome.reason.detail.code : String(outcome.reason))
  }
}
const whileFull = answered
rmSync(join(folder, 'ballast'))
for (let n = 0; n < 20; n++) {
  await vault.append(request())
  answered++
}
await vault.close()
const ledger = readSqliteLedger(path)
const { entries, faults } = await recount(crypto, ledger)
await ledger.close()
process.stdout.write(JSON.stringify({ refusals: [...refusals], whileFull, answered, entries, faults }))
