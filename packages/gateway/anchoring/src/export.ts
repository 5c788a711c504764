import { toHex } from '@nexus/codec'
import { encodeEntry, PAGE_ENTRIES_MAX, type Vault } from '@nexus/vault'
import { z } from 'zod'
import { countText, hexOf, receiptSchema, receiptToJson, u64Text } from './receipt.ts'
import type { AnchorStore } from './store.ts'

const FORMAT = 'nexus-export/1'

/** A line of an export: an entry of the ledger, or a head that a chain confirmed. */
export const exportSchema = z
  .discriminatedUnion('kind', [
    z
      .strictObject({
        format: z.literal(FORMAT),
        kind: z.literal('entry'),
        logId: hexOf(16),
        index: countText,
        id: hexOf(16),
        actor: hexOf(32).meta({ description: 'pseudonym' }),
        account: hexOf(32).meta({ description: 'pseudonym' }),
        amount: u64Text.meta({ description: 'smallest units; creator, pool and fee sum to it' }),
        creator: u64Text,
        pool: u64Text,
        fee: u64Text,
        policy: z.int().min(0).max(65_535),
        timeMs: countText.meta({ description: 'Unix milliseconds' }),
        canonical: hexOf(165).meta({ description: 'the bytes whose SHA-256 is the leaf data (docs/spec/vault.md)' }),
      })
      .meta({ title: 'Ledger entry' }),
    z
      .strictObject({
        format: z.literal(FORMAT),
        kind: z.literal('anchor'),
        logId: hexOf(16),
        no: countText.meta({
          description: 'place in the order of confirmation, counted over all chains: where the next export goes on',
        }),
        size: countText,
        root: hexOf(32),
        timeMs: countText.meta({ description: "Unix milliseconds of the head's signature" }),
        signature: hexOf(64),
        receipt: receiptSchema,
      })
      .meta({ title: 'Confirmed anchor' }),
  ])
  .meta({ title: 'A line of an export of entries and receipts' })

/** A line of an export as JSON. */
export type ExportLine = z.infer<typeof exportSchema>

/** Where an export begins: 0 and 0, or one after the last line of each kind that the receiver has. */
export interface ExportFrom {
  readonly index: number
  readonly anchorNo: number
}

/**
 * Entries in order, then anchors in the order in which they were confirmed (one whose chain took it back comes once more
 * when it is confirmed anew): what a stream processor such as a W3bstream node takes in, a JSON
 * value a line, and can check by itself against the anchors. Reads in pages of {@link PAGE_ENTRIES_MAX}.
 */
export async function* exportLines(
  vault: Pick<Vault, 'logId' | 'entries'>,
  store: Pick<AnchorStore, 'confirmedAfter'>,
  from: ExportFrom,
): AsyncGenerator<ExportLine> {
  const logId = toHex(vault.logId)
  let { index } = from
  for (;;) {
    const entries = await vault.entries(index, PAGE_ENTRIES_MAX)
    for (const entry of entries) {
      const { id, actor, account, amount, creator, pool, fee, policy, timeMs } = entry
      yield {
        ...{ format: FORMAT, kind: 'entry', logId, index: `${entry.index}`, id: toHex(id), actor: toHex(actor) },
        ...{ account: toHex(account), amount: `${amount}`, creator: `${creator}`, pool: `${pool}`, fee: `${fee}` },
        ...{ policy, timeMs: `${timeMs}`, canonical: toHex(encodeEntry(entry)) },
      }
    }
    if (entries.length < PAGE_ENTRIES_MAX) break
    index += entries.length
  }
  let after = from.anchorNo - 1
  for (;;) {
    const anchors = store.confirmedAfter(after, PAGE_ENTRIES_MAX)
    for (const { confirmedNo, head, receipt } of anchors) {
      const { size, root, timeMs, signature } = head
      yield {
        ...{ format: FORMAT, kind: 'anchor', logId, no: `${confirmedNo}`, size: `${size}`, root: toHex(root) },
        ...{ timeMs: `${timeMs}`, signature: toHex(signature), receipt: receiptToJson(receipt) },
      }
      after = confirmedNo
    }
    if (anchors.length < PAGE_ENTRIES_MAX) return
  }
}
