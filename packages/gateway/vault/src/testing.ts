/** The suite that every engine of the vault passes (docs/spec/vault.md). */
export { checkVaultStore, type VaultStoreHost } from './testing/check-store.ts'
