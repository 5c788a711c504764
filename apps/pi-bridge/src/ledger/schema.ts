import { z } from 'zod'

const nodeId = z.string().regex(/^[0-9a-f]{32}$/)
/** μNXS, a whole number in decimal digits: too large for a JSON number. */
const amount = z.string().regex(/^[0-9]+$/)

export const balanceSchema = z.object({
  schema: z.literal('nexus-ledger-balance/1'),
  epoch: z.string(),
  accounts: z.array(
    z.object({
      nodeId,
      balanceMicro: amount,
      earnedMicro: amount,
      spentMicro: amount,
      /** Debits that are signed and do not apply, or not yet. */
      waitingMicro: amount,
      nextPayerSeq: z.string(),
      /** It signed two settlements of one number: it can pay no more. */
      frozen: z.boolean(),
    }),
  ),
})

export const genesisSchema = z.object({
  schema: z.literal('nexus-ledger-genesis/1'),
  file: z.string(),
  networkId: z.string().regex(/^[0-9a-f]{32}$/),
  root: z.string().regex(/^[0-9a-f]{64}$/),
  accounts: z.number().int().nonnegative(),
  mintedMicro: amount,
})

export const historySchema = z.object({
  schema: z.literal('nexus-ledger-history/1'),
  nodeId,
  entries: z.array(
    z.object({
      role: z.enum(['payer', 'payee']),
      with: nodeId,
      amountMicro: amount,
      payerSeq: z.string(),
      channelId: nodeId,
      finalSequence: z.string(),
      applied: z.boolean(),
    }),
  ),
})

export const verifySchema = z.object({
  schema: z.literal('nexus-ledger-verify/1'),
  ok: z.boolean(),
  networkId: nodeId.nullable(),
  epoch: z.string(),
  snapshotRoot: z.string(),
  stateHash: z.string(),
  mintedMicro: amount,
  accounts: z.number().int(),
  settlements: z.object({ kept: z.number().int(), applied: z.number().int() }),
  closes: z.number().int(),
  conflicts: z.array(z.object({ payer: nodeId, payerSeq: z.string() })),
  problems: z.array(z.string()),
})
