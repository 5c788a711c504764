/** Appends without end, 20 at a time, and prints the key and index of each answer: killed by its parent. */
import { openPostgresVault } from '../src/postgres.ts'
import { openSqliteVault } from '../src/sqlite.ts'
import { crypto, random, request, seed } from './keys.ts'

const [place, run] = process.argv.slice(2)
const own = { seed, crypto, random }
const vault = await (place!.startsWith('postgres:')
  ? openPostgresVault({ url: place!, ...own })
  : openSqliteVault({ path: place!, ...own }))
let n = 0
const writer = async (): Promise<void> => {
  for (;;) {
    const idempotencyKey = `run-${run}-${n++}`
    const { entry } = await vault.append(request({ idempotencyKey, account: `did:key:${n % 17}` }))
    process.stdout.write(`${idempotencyKey} ${entry.index}\n`)
  }
}
await Promise.all(Array.from({ length: 20 }, writer))
