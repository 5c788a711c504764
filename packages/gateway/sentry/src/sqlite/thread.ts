/** The thread that writes what a sentry remembers in SQLite; started by `openSqliteSentryStore`, of no use alone. */
import { DatabaseSync } from 'node:sqlite'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { SentryError } from '../errors.ts'
import type { WriterAnswer, WriterCall, WriterData } from './messages.ts'
import { configure } from './schema.ts'
import { SqliteWriter } from './writer.ts'

if (parentPort !== null) serve(parentPort, workerData)

function serve(port: MessagePort, { path }: WriterData): void {
  const db = new DatabaseSync(path)
  configure(db)
  const writer = new SqliteWriter(db)
  port.on('message', (call: WriterCall) => {
    port.postMessage(answer(writer, call))
    if (call.method === 'close') port.close()
  })
}

function answer(writer: SqliteWriter, { no, method, args }: WriterCall): WriterAnswer {
  try {
    const run = writer[method] as (...args: readonly unknown[]) => unknown
    return { no, result: run.apply(writer, [...args]) }
  } catch (error) {
    if (error instanceof SentryError) return { no, refused: error.detail }
    return { no, refused: { code: 'sentry/store', reason: (error as Error).message } }
  }
}
