import { z } from 'zod'

const text = z.string().min(1)
const port = z.int().min(0).max(65_535)
const rate = z.strictObject({ perSecond: z.number().positive(), burst: z.number().min(1) })
const domains = z.array(text).min(1).describe('authorities of the pages that ask for logins here')

const ingress = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({
    kind: z.literal('proxy'),
    trusted: z.array(text).min(1).describe('addresses or ranges of the proxies'),
    header: z.enum(['x-forwarded-for', 'forwarded']).default('x-forwarded-for'),
  }),
  z.strictObject({ kind: z.literal('ngrok'), agent: z.array(text).optional() }),
  z.strictObject({
    kind: z.literal('cloudflare'),
    tunnel: z.array(text).optional().describe('addresses that the tunnel connects from'),
    access: z.strictObject({ issuer: z.url(), audience: text }).optional(),
  }),
])

const logins = z.strictObject({
  telegram: z.strictObject({ botTokenFile: text }).optional(),
  ethereum: z.strictObject({ domains, chainIds: z.array(z.int().min(1)).min(1) }).optional(),
  ton: z.strictObject({ domains, network: z.int().default(-239) }).optional(),
  peaq: z.strictObject({ domains, chainId: z.string().regex(/^[0-9a-f]{32}$/) }).optional(),
  iotex: z.strictObject({ domains, chainId: z.int().min(1).default(4_689) }).optional(),
})

const chain = z.strictObject({
  kind: z.literal('evm'),
  chainId: z.int().min(1),
  rpc: z.url().describe('JSON-RPC over HTTP'),
  contract: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/)
    .describe('address of the StateAnchor'),
  keyFile: text.describe('sealed key of the account that pays'),
  keyPassphraseFile: text,
  depth: z.int().min(1).describe('blocks after which an anchor counts as confirmed'),
  dailyCap: z
    .string()
    .regex(/^[1-9][0-9]{0,30}$/)
    .describe('most that may be spent in 24 hours, smallest unit'),
  patienceMs: z.int().min(1_000).default(600_000),
})

/** Every setting of the gateway, with what stands where nothing is set. */
export const configSchema = z.strictObject({
  origin: z.url().optional().describe('public origin that requests are signed for; http://<listen> if not set'),
  listen: z
    .strictObject({ host: text.default('127.0.0.1'), port: port.default(8_460) })
    .prefault({})
    .describe('where requests come in'),
  ops: z
    .strictObject({
      host: z.enum(['127.0.0.1', '::1']).default('127.0.0.1'),
      port: port.default(8_461),
    })
    .prefault({})
    .describe('health, readiness, metrics: on loopback only'),
  stateDir: text.optional().describe('folder of ledger, log and pid file'),
  database: z
    .string()
    .regex(/^(postgres(ql)?:\/\/.+)?$/)
    .default('')
    .describe('postgres://… for a ledger that several gateways share; empty: SQLite in the state folder'),
  identity: z
    .strictObject({ file: text.optional(), passphraseFile: text.optional(), plainAllowed: z.boolean().default(false) })
    .prefault({})
    .describe('key of the gateway: it signs the heads of the log'),
  admins: z.array(z.string().startsWith('did:key:z')).default([]).describe('who may grant, without a grant'),
  ingress: ingress.default({ kind: 'none' }),
  logins: logins.prefault({}),
  rates: z.strictObject({ address: rate.optional(), identity: rate.optional(), login: rate.optional() }).prefault({}),
  anchoring: z
    .strictObject({
      everyEntries: z.int().min(1).default(10_000),
      everyMinutes: z.number().positive().default(60),
      chains: z.array(chain).max(16).default([]),
    })
    .prefault({}),
  tunnel: z.array(text).default([]).describe('command of the tunnel that is run beside the gateway'),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
      format: z.enum(['auto', 'json', 'pretty']).default('auto'),
    })
    .prefault({}),
})

export type Config = z.infer<typeof configSchema>
export type ChainConfig = z.infer<typeof chain>

/** Settings that a variable or a flag may set too: those that are one value. */
export interface Setting {
  readonly path: readonly [string, ...string[]]
  readonly env: string
  /** With two dashes. */
  readonly flag: string
  readonly kind: 'text' | 'number' | 'list'
  readonly about: string
}

export const SETTINGS: readonly Setting[] = [
  setting('origin', 'text', 'public origin that requests are signed for'),
  setting('listen.host', 'text', 'address that requests come in at (127.0.0.1)'),
  setting('listen.port', 'number', 'port that requests come in at (8460)'),
  setting('ops.port', 'number', 'port of health and metrics, on loopback (8461)'),
  setting('stateDir', 'text', 'folder of ledger, log and pid file'),
  setting('database', 'text', 'postgres://… instead of SQLite in the state folder'),
  setting('identity.file', 'text', 'key of the gateway'),
  setting('identity.passphraseFile', 'text', 'file that holds its passphrase'),
  setting('admins', 'list', 'did:key of administrators, with commas between'),
  setting('log.level', 'text', 'debug, info, warn or error (info)'),
  setting('log.format', 'text', 'auto, json or pretty (auto)'),
]

function setting(key: string, kind: Setting['kind'], about: string): Setting {
  const words = key.replaceAll('.', '-').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const env = `NEXUS_GATEWAY_${words.replaceAll('-', '_').toUpperCase()}`
  return { path: key.split('.') as [string, ...string[]], env, flag: `--${words}`, kind, about }
}
