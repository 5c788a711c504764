/** The sentry's memory in a PostgreSQL database, shared by any number of gateways (docs/spec/sentry.md). */
export { openPostgresSentryStore, type PostgresSentryOptions } from './postgres/open.ts'
export type { PostgresSentryStore } from './postgres/store.ts'
