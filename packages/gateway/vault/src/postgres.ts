/** The vault in a PostgreSQL database, shared by any number of gateways (docs/spec/vault.md). */
export { openPostgresStore, openPostgresVault, type PostgresVaultOptions } from './postgres/open.ts'
