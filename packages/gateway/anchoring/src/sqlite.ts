/** The queue on disk, by Node's own SQLite (docs/spec/anchoring.md). */
export { SqliteQueue } from './sqlite/queue.ts'
