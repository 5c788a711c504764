import { fromHex, toHex } from '@nexus/codec'
import { decodeEntry, ENTRY_BYTES, encodeEntry, type LedgerEntry, type SignedTreeHead, VaultError } from '@nexus/vault'
import { z } from 'zod'
import { AnchoringError } from './errors.ts'
import { BUNDLE_CHARS_MAX, INCLUSION_HASHES_MAX, RECEIPTS_MAX } from './limits.ts'
import { countText, hexOf, type Receipt, receiptFromJson, receiptSchema, receiptToJson } from './receipt.ts'

/** All that a stranger needs to check one entry: a file of its own (docs/spec/anchoring.md). */
export interface ProofBundle {
  readonly entry: LedgerEntry
  /** From the entry's leaf to the head's root (RFC 9162 §2.1.3). */
  readonly inclusion: readonly Uint8Array[]
  readonly head: SignedTreeHead
  /** The Ed25519 key that the head claims: whether it is the gateway's, the reader must know from elsewhere. */
  readonly publicKey: Uint8Array
  /** Where chains keep this head; none for an entry that was not anchored yet. */
  readonly receipts: readonly Receipt[]
}

export const bundleSchema = z
  .strictObject({
    format: z.literal('nexus-proof/1'),
    entry: hexOf(ENTRY_BYTES).meta({ description: 'canonical entry (docs/spec/vault.md)' }),
    inclusion: z.array(hexOf(32)).max(INCLUSION_HASHES_MAX),
    head: z.strictObject({
      logId: hexOf(16),
      size: countText,
      root: hexOf(32),
      timeMs: countText,
      signature: hexOf(64),
      publicKey: hexOf(32),
    }),
    receipts: z.array(receiptSchema).max(RECEIPTS_MAX),
  })
  .meta({ title: 'Proof of a ledger entry' })

/** The bundle's one text form: JSON of two-space indentation, fields in the order of the schema, a newline at its end. */
export function encodeBundle({ entry, inclusion, head, publicKey, receipts }: ProofBundle): string {
  const json: z.infer<typeof bundleSchema> = {
    format: 'nexus-proof/1',
    entry: toHex(encodeEntry(entry)),
    inclusion: inclusion.map(toHex),
    head: {
      logId: toHex(head.logId),
      size: `${head.size}`,
      root: toHex(head.root),
      timeMs: `${head.timeMs}`,
      signature: toHex(head.signature),
      publicKey: toHex(publicKey),
    },
    receipts: receipts.map(receiptToJson),
  }
  return `${JSON.stringify(json, null, 2)}\n`
}

/** @throws {AnchoringError} `anchoring/bundle` for any text but what {@link encodeBundle} makes */
export function decodeBundle(text: string): ProofBundle {
  if (text.length > BUNDLE_CHARS_MAX) throw wrong(`it has more than ${BUNDLE_CHARS_MAX} characters`)
  const { entry, inclusion, head, receipts } = parse(text)
  const { publicKey, ...signed } = head
  const bundle: ProofBundle = {
    entry: entryOf(entry),
    inclusion: inclusion.map(fromHex),
    head: {
      logId: fromHex(signed.logId),
      size: Number(signed.size),
      root: fromHex(signed.root),
      timeMs: Number(signed.timeMs),
      signature: fromHex(signed.signature),
    },
    publicKey: fromHex(publicKey),
    receipts: receipts.map(receiptFromJson),
  }
  if (encodeBundle(bundle) !== text) throw wrong('it is not in the one form that bundles have')
  return bundle
}

function parse(text: string): z.infer<typeof bundleSchema> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw wrong('it is not JSON', cause)
  }
  const parsed = bundleSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw wrong(`${issue?.path.join('.') || 'it'}: ${issue?.message}`, parsed.error)
}

function entryOf(hex: string): LedgerEntry {
  try {
    return decodeEntry(fromHex(hex))
  } catch (error) {
    if (error instanceof VaultError) throw wrong(error.message, error)
    throw error
  }
}

function wrong(what: string, cause?: unknown): AnchoringError {
  return new AnchoringError({ code: 'anchoring/bundle', what }, { cause })
}
