import { mkdirSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Anchorer } from '@nexus/anchoring/node'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { openSentry, type Sentry, type SentryStore } from '@nexus/sentry'
import { nodeSentryPorts } from '@nexus/sentry/node'
import { openPostgresSentryStore } from '@nexus/sentry/postgres'
import { openSqliteSentryStore } from '@nexus/sentry/sqlite'
import type { Vault } from '@nexus/vault'
import { openPostgresVault } from '@nexus/vault/postgres'
import { openSqliteVault } from '@nexus/vault/sqlite'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Loaded } from '../config/load.ts'
import { Metrics } from '../http/metrics.ts'
import { createOps } from '../http/ops.ts'
import { RecentRejections } from '../http/rejections.ts'
import type { Services } from '../http/route.ts'
import { closeApi, createApi } from '../http/server.ts'
import { Streams } from '../http/streams.ts'
import { Tickets } from '../http/tickets.ts'
import { openAnchorer } from './anchoring.ts'
import { adaptersOf, ingressOf } from './perimeter.ts'

/** A gateway that takes requests. */
export interface Gateway {
  readonly services: Services
  /** Where it listens, as the system gave it. */
  readonly address: AddressInfo
  readonly opsAddress: AddressInfo
  /** Takes no more requests, answers those under way, writes what waits, and closes everything. */
  close(): Promise<void>
}

export interface GatewayOptions {
  readonly crypto: Crypto
  readonly config: Loaded
  /** Seed of the gateway's key. */
  readonly seed: Uint8Array
  readonly log: Logger
  /** Told if the ledger can write no more in this process. */
  readonly onFailure: (error: Error) => void
}

/** Names of the files in the state folder. */
export const LEDGER_FILE = 'ledger.db'
export const SENTRY_FILE = 'sentry.db'

/** Opens ledger and perimeter and listens. What was opened before something fails is closed again. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const closing: (() => Promise<void> | void)[] = []
  const close = async (): Promise<void> => {
    while (closing.length > 0) await closing.pop()!()
  }
  try {
    const { services, metrics } = await openServices(options, closing)
    let isOpen = true
    const ops = createOps({ services, metrics, isOpen: () => isOpen })
    const opsAddress = await listen(ops, options.config.ops)
    closing.push(() => closeOps(ops))
    const api = createApi({ services, metrics, log: options.log })
    closing.push(() => {
      isOpen = false
      services.streams.close()
      return closeApi(api)
    })
    const address = await listenApi(api, options.config.listen)
    return { services, address, opsAddress, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openServices(
  { crypto, config, seed, log, onFailure }: GatewayOptions,
  closing: (() => Promise<void> | void)[],
): Promise<{ services: Services; metrics: Metrics }> {
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 })
  const vault = await openVault({ crypto, config, seed, onFailure })
  closing.push(() => vault.close())
  const { store, sentry, rejections } = await openPerimeter({ crypto, config, seed, log })
  closing.push(() => store.close())
  closing.push(() => sentry.close())
  const anchorer = await openAnchorer(config, crypto, vault, log)
  if (anchorer !== undefined) closing.push(() => anchorer.stop())
  const streams = new Streams(vault)
  const tickets = new Tickets(crypto, seed, systemRandom)
  const services = { crypto, vault, sentry, streams, tickets, rejections, anchorer: anchorer as Anchorer | undefined }
  return { services, metrics: new Metrics() }
}

function openVault({
  crypto,
  config,
  seed,
  onFailure,
}: Pick<GatewayOptions, 'crypto' | 'config' | 'seed' | 'onFailure'>): Promise<Vault> {
  if (config.database !== '') return openPostgresVault({ url: config.database, seed, crypto })
  return openSqliteVault({ path: join(config.stateDir, LEDGER_FILE), seed, crypto, onFailure })
}

/** The perimeter over its store; also what commands use that grant at the machine itself. */
export async function openPerimeter({
  crypto,
  config,
  seed,
  log,
}: Pick<GatewayOptions, 'crypto' | 'config' | 'seed' | 'log'>): Promise<{
  store: SentryStore
  sentry: Sentry
  rejections: RecentRejections
}> {
  const rejections = new RecentRejections()
  const store: SentryStore =
    config.database === ''
      ? openSqliteSentryStore({ path: join(config.stateDir, SENTRY_FILE) })
      : await openPostgresSentryStore({ url: config.database })
  try {
    const { address, identity, login } = config.rates
    const sentry = await openSentry(
      {
        origin: config.origin,
        seed,
        store,
        ingress: ingressOf(config.ingress),
        admins: config.admins,
        adapters: adaptersOf(crypto, config.logins),
        rates: { ...(address && { address }), ...(identity && { identity }), ...(login && { login }) },
        onRejection: (rejection) => {
          rejections.add(rejection)
          log.info({ ...rejection }, 'a request was refused')
        },
      },
      nodeSentryPorts(crypto),
    )
    return { store, sentry, rejections }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function listenApi(api: FastifyInstance, at: Loaded['listen']): Promise<AddressInfo> {
  await api.listen(at)
  return api.server.address() as AddressInfo
}

async function listen(server: Server, at: Loaded['ops']): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return server.address() as AddressInfo
}

function closeOps(ops: Server): Promise<void> {
  return new Promise((resolve) => {
    ops.close(() => resolve())
    ops.closeAllConnections()
  })
}
