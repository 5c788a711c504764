import type { SignedTreeHead } from '@nexus/vault'
import type { Submission } from '../chain.ts'
import { receiptFromJson, receiptSchema } from '../receipt.ts'
import type { Anchor, ConfirmedAnchor } from '../store.ts'

/** A row of `node:sqlite`. */
export type Row = Readonly<Record<string, unknown>>

export type Attempt = Submission & { readonly signedMs: number }

export function headOf(logId: Uint8Array, row: Row): SignedTreeHead {
  return {
    logId,
    size: Number(row['size']),
    root: bytes(row, 'root'),
    timeMs: Number(row['time_ms']),
    signature: bytes(row, 'signature'),
  }
}

export function attemptOf(row: Row): Attempt {
  const expiresMs = row['expires_ms']
  return {
    bytes: bytes(row, 'bytes'),
    id: bytes(row, 'id'),
    sequence: Number(row['sequence']),
    costMax: BigInt(row['cost_max'] as string),
    ...(expiresMs !== null && { expiresMs: Number(expiresMs) }),
    signedMs: Number(row['signed_ms']),
  }
}

export function confirmedOf(anchor: Anchor, row: Row): ConfirmedAnchor {
  const receipt = receiptFromJson(receiptSchema.parse(JSON.parse(row['receipt'] as string)))
  return { ...anchor, receipt, confirmedNo: Number(row['confirmed_no']), confirmedMs: Number(row['settled_ms']) }
}

/** Bytes of a column, as a copy of their own. */
export function bytes(row: Row, name: string): Uint8Array {
  return new Uint8Array(row[name] as Uint8Array)
}
