/** Appends 5 at a time, notes each answer in a file, which is what the world outside has seen, and kills itself. */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteVault } from '../src/sqlite.ts'
import { crypto, random, request, seed } from './keys.ts'

const [folder, count] = [process.argv[2]!, Number(process.argv[3])]
const vault = await openSqliteVault({ path: join(folder, 'ledger.db'), seed, crypto, random })
const answers = openSync(join(folder, 'answers'), 'a')
let n = 0
const writer = async (): Promise<void> => {
  while (n < count) {
    const idempotencyKey = `key-${n++}`
    const { entry } = await vault.append(request({ idempotencyKey, account: `did:key:${n % 17}` }))
    writeSync(answers, `${idempotencyKey} ${entry.index}\n`)
  }
}
await Promise.all(Array.from({ length: 5 }, writer))
process.kill(process.pid, 'SIGKILL')
