import {
  apiErrorSchema,
  eventSchema,
  messageStateSchema,
  methods,
  nodeIdSchema,
  pathResultSchema,
  receivedMessageSchema,
  segmentSchema,
  statusSchema,
  traceResultSchema,
} from '@nexus/node/api'
import { z } from 'zod'
import { channelsSchema, drillSchema } from '../channel/schema.ts'
import { balanceSchema, genesisSchema, historySchema, verifySchema } from '../ledger/schema.ts'
import {
  rnsCopiedSchema,
  rnsLxmfListeningSchema,
  rnsLxmfSchema,
  rnsLxmfSentSchema,
  rnsPathSchema,
  rnsProbeSchema,
  rnsReceivedSchema,
  rnsReceivingSchema,
  rnsStatusSchema,
} from '../rns/schema.ts'

/** What the commands print with `--json`; docs/schemas holds the same as JSON Schema. */

export const startedSchema = z.object({
  schema: z.literal('nexus-started/1'),
  nodeId: nodeIdSchema,
  pid: z.number().int().positive(),
  socket: z.string().describe('control socket'),
  page: z.string().nullable().describe('address of the live page, token included; null where it is not served'),
  log: z.string().optional().describe('log file, where the node runs in the background'),
})

export const stoppedSchema = z.object({ schema: z.literal('nexus-stopped/1'), stopped: z.literal(true) })

export const configCheckSchema = z.object({
  schema: z.literal('nexus-config-check/1'),
  ok: z.literal(true),
  file: z.string().nullable(),
  warnings: z.array(z.string()),
})

export const identitySchema = z.object({
  schema: z.literal('nexus-identity/1'),
  nodeId: nodeIdSchema,
  publicKey: z.string().regex(/^[0-9a-f]{64}$/),
  file: z.string(),
  encrypted: z.boolean(),
})

export const sharesSchema = z.object({
  schema: z.literal('nexus-shares/1'),
  nodeId: nodeIdSchema,
  threshold: z.number().int().min(2).max(16),
  shares: z.array(z.string()).min(2).max(16),
})

export const networkKeySchema = z.object({ schema: z.literal('nexus-network-key/1'), file: z.string() })

export const pingSummarySchema = z.object({
  schema: z.literal('nexus-ping-summary/1'),
  sent: z.number().int().nonnegative(),
  answered: z.number().int().nonnegative(),
  rttMs: z.object({ min: z.number(), mean: z.number(), max: z.number() }).nullable(),
})

export const doctorSchema = z.object({
  schema: z.literal('nexus-doctor/1'),
  ok: z.boolean().describe('whether there was no failure'),
  findings: z.array(
    z.object({
      check: z.string(),
      verdict: z.enum(['ok', 'warning', 'failure', 'skipped']),
      found: z.string(),
      next: z.string().optional(),
    }),
  ),
})

export const segmentStartedSchema = z.object({
  schema: z.literal('nexus-segment-started/1'),
  nodeId: nodeIdSchema,
  pid: z.number().int().positive(),
})

export const segmentEventSchema = z.object({
  schema: z.literal('nexus-segment-event/1'),
  at: z.string().describe('wall-clock time, ISO 8601'),
  kind: z.enum(['phase', 'promoted', 'followed', 'key', 'member', 'twin', 'problem']),
  interface: z.string(),
  text: z.string().describe('one sentence for people'),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
})

export const errorSchema = z
  .object({
    error: z.object({ code: z.string().describe('stable'), message: z.string(), next: z.string().optional() }),
  })
  .describe('On stderr, where a command did not do what was asked')

/** A published schema, and which commands print it. */
export interface PublishedSchema {
  readonly schema: z.ZodType
  readonly printedBy: string
}

export const PUBLISHED: Readonly<Record<string, PublishedSchema>> = {
  status: { schema: statusSchema, printedBy: 'nexus-status, nexus-node status' },
  peer: { schema: methods['peer-add'].result, printedBy: 'nexus-peer add, nexus-peer remove' },
  peers: { schema: methods['peer-list'].result, printedBy: 'nexus-peer list' },
  message: { schema: messageStateSchema, printedBy: 'nexus-send' },
  'received-message': { schema: receivedMessageSchema, printedBy: 'nexus-listen, a line for each message' },
  trace: { schema: traceResultSchema, printedBy: 'nexus-trace; nexus-ping, a line for each' },
  'ping-summary': { schema: pingSummarySchema, printedBy: 'nexus-ping, the last line' },
  path: { schema: pathResultSchema, printedBy: 'nexus-path' },
  segment: { schema: segmentSchema, printedBy: 'nexus-segment status; nexus-segment watch, a line each second' },
  'segment-started': { schema: segmentStartedSchema, printedBy: 'nexus-segment start, the first line' },
  'segment-event': { schema: segmentEventSchema, printedBy: 'nexus-segment start, a line for each' },
  channels: { schema: channelsSchema, printedBy: 'nexus-channel list' },
  channel: { schema: methods['channel-open'].result, printedBy: 'nexus-channel open' },
  'channel-settle': { schema: methods['channel-settle'].result, printedBy: 'nexus-channel settle' },
  'channel-dispute': { schema: methods['channel-dispute'].result, printedBy: 'nexus-channel dispute' },
  'channel-drill': { schema: drillSchema, printedBy: 'nexus-channel drill-restore' },
  'ledger-balance': { schema: balanceSchema, printedBy: 'nexus-ledger balance' },
  'ledger-genesis': { schema: genesisSchema, printedBy: 'nexus-ledger genesis' },
  'ledger-history': { schema: historySchema, printedBy: 'nexus-ledger history' },
  'ledger-verify': { schema: verifySchema, printedBy: 'nexus-ledger verify' },
  'rns-status': { schema: rnsStatusSchema, printedBy: 'nexus-rns status' },
  'rns-path': { schema: rnsPathSchema, printedBy: 'nexus-rns path' },
  'rns-probe': { schema: rnsProbeSchema, printedBy: 'nexus-rns probe, a line for each' },
  'rns-copied': { schema: rnsCopiedSchema, printedBy: 'nexus-rns cp' },
  'rns-receiving': { schema: rnsReceivingSchema, printedBy: 'nexus-rns cp --receive, the first line' },
  'rns-received': { schema: rnsReceivedSchema, printedBy: 'nexus-rns cp --receive, a line for each file' },
  'rns-lxmf-sent': { schema: rnsLxmfSentSchema, printedBy: 'nexus-rns lxmf send' },
  'rns-lxmf-listening': { schema: rnsLxmfListeningSchema, printedBy: 'nexus-rns lxmf listen, the first line' },
  'rns-lxmf': { schema: rnsLxmfSchema, printedBy: 'nexus-rns lxmf listen, a line for each message' },
  doctor: { schema: doctorSchema, printedBy: 'nexus-doctor' },
  started: { schema: startedSchema, printedBy: 'nexus-node start, nexus-node restart' },
  stopped: { schema: stoppedSchema, printedBy: 'nexus-node stop' },
  'config-check': { schema: configCheckSchema, printedBy: 'nexus-node config check' },
  identity: { schema: identitySchema, printedBy: 'nexus-keygen identity, show, passphrase, shares combine' },
  shares: { schema: sharesSchema, printedBy: 'nexus-keygen shares split' },
  'network-key': { schema: networkKeySchema, printedBy: 'nexus-keygen network-key' },
  error: { schema: errorSchema, printedBy: 'every command, on stderr, where it fails' },
  event: { schema: eventSchema, printedBy: 'the method events of the control socket' },
  'api-error': { schema: apiErrorSchema, printedBy: 'the control socket, where a method was not carried out' },
}
