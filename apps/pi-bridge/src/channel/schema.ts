import { z } from 'zod'

const nodeId = z.string().regex(/^[0-9a-f]{32}$/)
/** μNXS or a sequence in decimal digits: too large for a JSON number. */
const whole = z.string().regex(/^-?[0-9]+$/)

export const channelsSchema = z.object({
  schema: z.literal('nexus-channels/1'),
  unreadable: z.number().int().nonnegative().describe('records that were torn, and are learnt from the peers again'),
  channels: z.array(
    z.object({
      peer: nodeId,
      channelId: nodeId,
      phase: z.enum(['opening', 'open', 'fork', 'closing']),
      sequence: whole,
      settledSequence: whole.nullable().describe('null: the state at the last settlement is not held'),
      owedMicro: whole.describe('what the peer owes since the last settlement; below 0: what the node owes'),
      pendingMicro: whole.describe('paid by the node, and not yet signed by the peer'),
    }),
  ),
})

export const drillSchema = z.object({
  schema: z.literal('nexus-channel-drill/1'),
  ok: z.boolean(),
  backups: z.array(
    z.object({
      backupSequence: whole.describe('the newest state in the backup'),
      newestSequence: whole.describe('the newest state at the peer'),
      signedWhileSilent: z.number().int().nonnegative().describe('states signed before the peer answered'),
      closedWhileSilent: z.boolean().describe('whether a close was published before the peer answered'),
      lowestSigned: whole.nullable().describe('the lowest sequence signed afterwards'),
      balanceRegained: z.boolean(),
    }),
  ),
  own: z.array(
    z.object({
      peer: nodeId,
      sequence: whole,
      signed: z.number().int().nonnegative().describe('states signed on a copy of the own state, with peers silent'),
      closed: z.boolean(),
    }),
  ),
})
