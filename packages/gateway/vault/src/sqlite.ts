/** The vault in one SQLite file, with Node's own SQLite (docs/spec/vault.md). */
export {
  backupSqliteLedger,
  type CopyOptions,
  type Restored,
  restoreSqliteLedger,
  type SqliteBackupOptions,
  type SqliteRestoreOptions,
} from './sqlite/backup.ts'
export { openSqliteStore, openSqliteVault, readSqliteLedger, type SqliteVaultOptions } from './sqlite/open.ts'
export type { SqliteReader } from './sqlite/reader.ts'
export type { SqliteStore } from './sqlite/store.ts'
