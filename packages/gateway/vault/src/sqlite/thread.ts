/** The thread that writes a ledger in SQLite; started by `openSqliteVault`, of no use alone. */
import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { nodeCrypto } from '@nexus/crypto/node'
import { VaultError } from '../errors.ts'
import type { WriterAnswer, WriterData, WriterResult, WriterTask } from './messages.ts'
import { configure } from './schema.ts'
import { SqliteWriter } from './writer.ts'

if (parentPort !== null) await serve(parentPort, workerData)

async function serve(port: MessagePort, { path, seed, logId }: WriterData): Promise<void> {
  const crypto = await nodeCrypto()
  const db = new DatabaseSync(path)
  configure(db)
  db.exec('PRAGMA secure_delete = ON')
  const writer = new SqliteWriter(db, { crypto, logId, seed })
  port.on('message', (task: WriterTask) => {
    port.postMessage(answer(writer, task))
    if (task.kind === 'close') port.close()
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
