/** The sentry's memory in one SQLite file, with Node's own SQLite (docs/spec/sentry.md). */
export { openSqliteSentryStore, type SqliteSentryOptions } from './sqlite/open.ts'
export type { SqliteSentryStore } from './sqlite/store.ts'
