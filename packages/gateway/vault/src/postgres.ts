/** The vault in a PostgreSQL database, shared by any number of gateways (docs/spec/vault.md). */
export {
  backupPostgresLedger,
  type PostgresBackupOptions,
  type PostgresRestoreOptions,
  restorePostgresLedger,
} from './postgres/backup.ts'
export { openPostgresStore, openPostgresVault, type PostgresVaultOptions, readPostgresLedger } from './postgres/open.ts'
