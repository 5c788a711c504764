import type { VaultErrorDetail } from '../errors.ts'
import type { Append } from '../plan.ts'
import type { Committed } from '../store.ts'

/** What the thread that writes is started with. */
export interface WriterData {
  readonly path: string
  readonly seed: Uint8Array
  readonly logId: Uint8Array
}

/** A task for the thread, answered under its number. */
export type WriterTask =
  | { readonly no: number; readonly kind: 'commit'; readonly batch: readonly Append[]; readonly nowMs: number }
  | { readonly no: number; readonly kind: 'erase'; readonly identity: string }
  | { readonly no: number; readonly kind: 'close' }

export type WriterResult = Committed | boolean | undefined

export type WriterAnswer =
  | { readonly no: number; readonly result: WriterResult }
  | { readonly no: number; readonly refused: VaultErrorDetail }
