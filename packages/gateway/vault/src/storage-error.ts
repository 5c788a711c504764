import { VaultError } from './errors.ts'

/** An engine's error as the vault's own; a refusal of its rules stays as it is. */
export function storageError(error: unknown): VaultError {
  if (error instanceof VaultError) return error
  return new VaultError({ code: 'vault/storage', reason: (error as Error).message }, { cause: error })
}
