import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { toHex } from '@nexus/codec'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { nodeIdOf } from '@nexus/identity'
import { writePlainIdentityFile } from '@nexus/identity/node'
import { ANY_ACCOUNT, didKey, type Grant, type Role, signGrant } from '@nexus/sentry'
import { ed25519Signer } from '@nexus/sentry/client'
import { Command } from 'commander'
import envPaths from 'env-paths'
import type { z } from 'zod'
import { action } from '../cli/frame.ts'
import type { Output } from '../cli/output.ts'
import { createClient, type GatewayClient } from '../client.ts'
import { loadConfig } from '../config/load.ts'
import type { receipt } from '../http/schemas.ts'
import { runForeground } from '../run/foreground.ts'
import { readSeed } from '../run/keys.ts'
import type { RunningState } from '../run/state.ts'

interface DemoFlags {
  readonly fresh?: boolean
  readonly port?: string
  readonly entries?: string
}

/** Between two entries of the demo. */
const ENTRY_MS = 2_000

export function demoCommand(): Command {
  return new Command('demo')
    .description('a gateway with a demo identity, an app that makes entries, and an auditor')
    .option('--fresh', 'begin with an empty ledger')
    .option('--port <port>', 'where requests come in (8460)')
    .option('--entries <count>', 'end after so many entries')
    .action(
      action<DemoFlags>(async ({ out, flags, signal }) => {
        const stateDir = join(envPaths('nexus', { suffix: '' }).data, 'gateway-demo')
        if (flags.fresh) rmSync(stateDir, { recursive: true, force: true })
        mkdirSync(stateDir, { recursive: true, mode: 0o700 })
        const crypto = await nodeCrypto()
        const keys = Object.fromEntries(
          ['gateway', 'app', 'auditor'].map((name) => [name, demoKey(crypto, join(stateDir, `${name}.key`))]),
        ) as Record<'gateway' | 'app' | 'auditor', Uint8Array>
        const config = loadConfig({
          env: {},
          flags: {
            stateDir,
            listenPort: flags.port ?? '8460',
            opsPort: flags.port === undefined ? '8461' : '0',
            admins: didKey(crypto.publicKey(keys.gateway)),
            logLevel: 'warn',
          },
        })
        const ended = new AbortController()
        signal.addEventListener('abort', () => ended.abort(), { once: true })
        let show: Promise<void> = Promise.resolve()
        const started = (state: RunningState): void => {
          show = play({
            out,
            crypto,
            keys,
            state,
            stateDir,
            entries: Number(flags.entries ?? Number.POSITIVE_INFINITY),
            signal: ended.signal,
          })
          // Whatever ends the play ends the gateway.
          show.catch(() => {}).finally(() => ended.abort())
        }
        await runForeground({ crypto, config, seed: keys.gateway, signal: ended.signal, started })
        await show
      }),
    )
}

interface Play {
  readonly out: Output
  readonly crypto: Crypto
  readonly keys: Record<'gateway' | 'app' | 'auditor', Uint8Array>
  readonly state: RunningState
  readonly stateDir: string
  readonly entries: number
  readonly signal: AbortSignal
}

/** Grants what app and auditor need, then makes an entry now and then and shows it. */
async function play({ out, crypto, keys, state, stateDir, entries, signal }: Play): Promise<void> {
  const client = (seed: Uint8Array): GatewayClient =>
    createClient({ crypto, signer: ed25519Signer(crypto, seed), origin: state.origin, connect: state.listen })
  const team = client(keys.gateway)
  await grantOnce(team, crypto, keys, 'app', 'app')
  await grantOnce(team, crypto, keys, 'auditor', 'auditor')
  out.say(welcome(state, stateDir))
  const app = client(keys.app)
  for (let made = 0; made < entries && !signal.aborted; made++) {
    const account = `did:example:creator-${made % 3}`
    const amount = `${100 + Math.floor(Math.random() * 100_000)}`
    const { entry, head } = await app.post<z.infer<typeof receipt>>('/v1/entries', { account, amount })
    out.data(
      { entry, head },
      `#${entry.index}  ${account}  ${amount} = creator ${entry.creator} + pool ${entry.pool} + fee ${entry.fee}   root ${head.root.slice(0, 16)}…`,
    )
    await pause(made + 1 < entries ? ENTRY_MS : 0, signal)
  }
}

async function grantOnce(
  team: GatewayClient,
  crypto: Crypto,
  keys: Play['keys'],
  name: 'app' | 'auditor',
  role: Role,
): Promise<void> {
  const subject = didKey(crypto.publicKey(keys[name]))
  const held = await team.get<{ grants: { role: string }[] }>(`/v1/grants/${encodeURIComponent(subject)}`)
  if (held.grants.some((grant) => grant.role === role)) return
  const what: Grant = {
    kind: 'grant',
    id: systemRandom(16),
    subject,
    role,
    ...(role === 'app' && { account: ANY_ACCOUNT }),
  }
  const gateway = nodeIdOf(crypto, crypto.publicKey(keys.gateway))
  const statement = toHex(signGrant(crypto, keys.gateway, { what, gateway, timeMs: Date.now() }))
  await team.post('/v1/grants', { statement })
}

function welcome({ listen, ops }: RunningState, stateDir: string): string {
  const run = 'nexus-gateway'
  return `
NEXUS gateway at ${listen}: every entry is split 60-30-10, signed, on the disk before it is answered, and provable.
An app makes an entry every ${ENTRY_MS / 1_000} seconds. Ctrl-C ends the demo; the ledger stays in ${stateDir}.

In another terminal:
  curl ${listen}/healthz                        whether it answers
  curl -i ${listen}/v1/totals                   refused: nobody is let in without a signature
  curl ${ops}/metrics                        metrics, on loopback only
  ${run} history --gateway ${listen} --key ${join(stateDir, 'auditor.key')}
  ${run} prove 0 --gateway ${listen} --key ${join(stateDir, 'auditor.key')} -o proof.json && ${run} verify proof.json
(${run} is: node --conditions=nexus-source apps/gateway-api/src/bin/nexus-gateway.ts)
`
}

/** A demo key is no secret: it lies open in the demo's own folder. */
function demoKey(crypto: Crypto, file: string): Uint8Array {
  if (!existsSync(file)) writePlainIdentityFile(crypto, file, systemRandom(32))
  return readSeed(crypto, { file, plainAllowed: true })
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
}
