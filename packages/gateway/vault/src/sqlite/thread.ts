/** The thread that writes a ledger in SQLite; started by `openSqliteVault`, of no use alone. */
import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { nodeCrypto } from '@nexus/crypto/node'
import { VaultError } from '../errors.ts'
import type { WriterAnswer, WriterData, WriterResult, WriterTask } from './messages.ts'
import { configure } from './schema.ts'
import { SqliteWriter } from './writer.ts'

/** How long until a log of writes that a reader holds is tried again. */
const TIDY_AGAIN_MS = 1_000

if (parentPort !== null) await serve(parentPort, workerData)

async function serve(port: MessagePort, { path, seed, logId }: WriterData): Promise<void> {
  const crypto = await nodeCrypto()
  const db = new DatabaseSync(path)
  configure(db)
  db.exec('PRAGMA secure_delete = ON')
  const writer = new SqliteWriter(db, { crypto, logId, seed })
  let again: NodeJS.Timeout | undefined
  const tidy = (): void => {
    clearTimeout(again)
    if (!writer.tidy()) again = setTimeout(tidy, TIDY_AGAIN_MS)
  }
  port.on('message', (task: WriterTask) => {
    port.postMessage(answer(writer, task))
    if (task.kind === 'erase') tidy()
    if (task.kind !== 'close') return
    clearTimeout(again)
    port.close()
  })
}

function answer(writer: SqliteWriter, task: WriterTask): WriterAnswer {
  try {
    return { no: task.no, result: run(writer, task) }
  } catch (error) {
    if (error instanceof VaultError) return { no: task.no, refused: error.detail }
    throw error
  }
}

function run(writer: SqliteWriter, task: WriterTask): WriterResult {
  switch (task.kind) {
    case 'commit':
      return writer.commit(task.batch, task.nowMs)
    case 'erase':
      return writer.erase(task.identity)
    case 'close':
      writer.close()
  }
}
