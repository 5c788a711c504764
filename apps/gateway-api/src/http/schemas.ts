import { AMOUNT_DIGITS_MAX, POLICIES } from '@nexus/allocation'
import { toHex } from '@nexus/codec'
import type { AccountTotals, LedgerEntry, Receipt, SignedTreeHead } from '@nexus/vault'
import { IDENTITY_BYTES_MAX, KEY_CHARS_MAX } from '@nexus/vault'
import { z } from 'zod'
import { PAGE_DEFAULT, PAGE_MAX } from '../limits.ts'

const hex = (bytes: number, what: string) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
    .describe(what)
const money = (what: string) =>
  z
    .string()
    .regex(/^(0|[1-9][0-9]{0,18})$/)
    .describe(what)
const count = (what: string) => z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe(what)
const timeMs = (what: string) => count(`${what}, Unix milliseconds`)

/** Text of a query or path as a whole number: no sign, no leading zero. */
const countText = (what: string) =>
  z
    .string()
    .regex(/^(0|[1-9][0-9]{0,14})$/)
    .transform(Number)
    .describe(what)

export const identity = z
  .string()
  .min(1)
  .max(IDENTITY_BYTES_MAX)
  .describe(`a DID or alike: at most ${IDENTITY_BYTES_MAX} bytes of UTF-8, without NUL`)

/** Printable ASCII; the same again when a request is repeated, for as long as the entry exists. */
export const IDEMPOTENCY_KEY_PATTERN = `^[\\x21-\\x7e]{1,${KEY_CHARS_MAX}}$`

export const newEntry = z
  .strictObject({
    account: identity,
    amount: z
      .union([
        z.string().regex(new RegExp(`^[1-9][0-9]{0,${AMOUNT_DIGITS_MAX - 1}}$`)),
        z.int().min(1).max(Number.MAX_SAFE_INTEGER),
      ])
      .describe('smallest units, 1 to 9223372036854775807; as a number at most 9007199254740991'),
    policy: z
      .literal(POLICIES.map(({ version }) => version))
      .default(1)
      .describe('version of the allocation policy'),
  })
  .meta({ id: 'NewEntry' })

export const entry = z
  .strictObject({
    index: count('place in the log'),
    id: hex(16, 'random'),
    actor: hex(32, 'pseudonym of who asked'),
    account: hex(32, 'pseudonym of whose account it is'),
    amount: money('smallest units'),
    creator: money('60 % and the remainder'),
    pool: money('30 %, rounded down'),
    fee: money('10 %, rounded down'),
    policy: z.int().min(1).max(65_535),
    timeMs: timeMs('when it was written'),
    idempotency: hex(32, 'hash that names the request'),
  })
  .meta({ id: 'Entry' })

export const head = z
  .strictObject({
    logId: hex(16, 'of this log'),
    size: count('entries under the root'),
    root: hex(32, 'RFC 9162, SHA-256'),
    timeMs: timeMs('when it was signed'),
    signature: hex(64, 'Ed25519 over nxs-sthd and the fields before (docs/spec/vault.md)'),
  })
  .meta({ id: 'TreeHead' })

export const receipt = z.strictObject({ entry, head }).meta({ id: 'Receipt' })

export const totals = z
  .strictObject({
    amount: money('sum of the entries'),
    creator: money('their creator parts'),
    pool: money('their pool parts'),
    fee: money('their fees'),
    entries: count('how many'),
  })
  .meta({ id: 'Totals' })

export const page = z
  .strictObject({
    entries: z.array(entry).max(PAGE_MAX).describe('newest first'),
    next: z.string().optional().describe('cursor of the next page; absent on the last'),
  })
  .meta({ id: 'Page' })

export const inclusionProof = z
  .strictObject({ entry, head, inclusion: z.array(hex(32, 'RFC 9162 §2.1.3')).max(64), publicKey: hex(32, 'Ed25519') })
  .meta({ id: 'InclusionProof' })

export const consistencyProof = z
  .strictObject({ first: count('size'), size: count('size'), consistency: z.array(hex(32, 'RFC 9162 §2.1.4')).max(64) })
  .meta({ id: 'ConsistencyProof' })

export const state = z.strictObject({ head: head.optional(), publicKey: hex(32, 'Ed25519') }).meta({ id: 'State' })

export const personalData = z
  .strictObject({
    identity,
    salt: hex(32, 'pseudonym = HMAC-SHA256(salt, identity)'),
    pseudonym: hex(32, 'what stands in the log'),
    totals: totals.optional(),
    credited: z.array(entry).max(PAGE_MAX),
    asked: z.array(entry).max(PAGE_MAX),
    next: z.string().optional(),
  })
  .meta({ id: 'PersonalData' })

export const session = z
  .strictObject({
    identity,
    keyid: z.string().describe('of signatures with the secret'),
    secret: hex(32, 'for hmac-sha256; shown once'),
    expiresMs: timeMs('when the session ends'),
  })
  .meta({ id: 'Session' })

export const problem = z
  .object({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().describe('stable, for programs'),
    requestId: z.string().optional(),
  })
  .meta({ id: 'Problem' })

/** Cursor and length of a page. */
export const pageQuery = z.strictObject({
  cursor: z
    .string()
    .regex(/^[0-9]{1,16}-[0-9]{1,16}$/)
    .optional()
    .describe('`next` of the page before'),
  count: z
    .string()
    .regex(/^([1-9][0-9]{0,2}|1000)$/)
    .transform(Number)
    .optional()
    .describe(`1 to ${PAGE_MAX}, ${PAGE_DEFAULT} if not given`),
})

export const index = countText('place in the log')
export const size = countText('entries of a log')

export function entryJson(from: LedgerEntry): z.infer<typeof entry> {
  return {
    index: from.index,
    id: toHex(from.id),
    actor: toHex(from.actor),
    account: toHex(from.account),
    amount: from.amount.toString(),
    creator: from.creator.toString(),
    pool: from.pool.toString(),
    fee: from.fee.toString(),
    policy: from.policy,
    timeMs: from.timeMs,
    idempotency: toHex(from.idempotency),
  }
}

export function headJson({ logId, size, root, timeMs, signature }: SignedTreeHead): z.infer<typeof head> {
  return { logId: toHex(logId), size, root: toHex(root), timeMs, signature: toHex(signature) }
}

export function receiptJson(from: Receipt): z.infer<typeof receipt> {
  return { entry: entryJson(from.entry), head: headJson(from.head) }
}

export function totalsJson({ amount, creator, pool, fee, entries }: AccountTotals): z.infer<typeof totals> {
  return { amount: `${amount}`, creator: `${creator}`, pool: `${pool}`, fee: `${fee}`, entries }
}
