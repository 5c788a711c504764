import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fromHex } from '@nexus/codec'
import type { Crypto } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import type { Identity } from '@nexus/identity'
import { createNode, type Node, openStore, type SqliteStore } from '@nexus/node'
import { ControlServer } from '@nexus/node/control'
import type { EconomyOptions } from '@nexus/node/core'
import type { Identity as ReticulumIdentity } from '@nexus/reticulum'
import { CommandFailure } from '../cli/failure.ts'
import { VERSION } from '../cli/version.ts'
import type { Loaded } from '../config/load.ts'
import { readGenesis } from '../economy/genesis-file.ts'
import { openIdentity, type PassphraseSource } from './identity.ts'
import { type Logger, logEvent } from './log.ts'
import { Pages } from './pages.ts'
import { derivedReticulumIdentity } from './reticulum.ts'
import { type NodeSegment, nodeSegment } from './segment.ts'
import { lockState } from './state-lock.ts'
import { transportsOf } from './transports.ts'

/** A node that is up, and how to end it. */
export interface RunningNode {
  readonly node: Node
  readonly socket: string
  /** Address of the live page with its token, where it is served. */
  readonly pageUrl: string | undefined
  /** Resolves when the node has stopped, by whatever asked for it. */
  readonly stopped: Promise<void>
  stop(): Promise<void>
}

export interface RunOptions {
  readonly log: Logger
  readonly passphrase: Omit<PassphraseSource, 'file'>
}

/** Brings a node up: lock, identity, state, transports, control socket, page; in this order. @throws {CommandFailure} */
export async function runNode({ config }: Loaded, { log, passphrase }: RunOptions): Promise<RunningNode> {
  process.umask(0o077)
  Pages.check(config)
  makePrivateFolder(config.stateDir)
  const lock = lockState(config.stateDir)
  try {
    const crypto = await nodeCrypto()
    const economy = economyOf(crypto, config.economy)
    const { identity, reticulum } = await openKeys(crypto, config, { log, passphrase })
    const networkKey = config.networkKeyFile === undefined ? undefined : readNetworkKey(config.networkKeyFile)
    const transports = transportsOf(config.interfaces, { crypto, derived: reticulum })
    const segment = nodeSegment(config, { crypto, identity, transports, log })
    const store = openState(join(config.stateDir, 'state.db'), log)
    const node = await buildNode(store, {
      identity,
      crypto,
      transports,
      store,
      version: VERSION,
      policy: config.policy,
      roundMs: config.roundMs,
      admission: config.admission,
      priceMicroPerMib: config.priceMicroPerMib,
      allowStrangerReceipts: config.receipts === 'anyone',
      ...(config.label === undefined ? {} : { label: config.label }),
      ...(networkKey === undefined ? {} : { networkKey }),
      ...(economy === undefined ? {} : { economy }),
      ...(segment === undefined ? {} : { segment: segment.report }),
    })
    return await bringUp({ node, store, lock, segment }, config, log)
  } catch (error) {
    lock.release()
    throw error
  }
}

/** The node's identity, and the one that follows from it for Reticulum networks. */
async function openKeys(
  crypto: Crypto,
  { identity: at, stateDir }: Loaded['config'],
  { log, passphrase }: RunOptions,
): Promise<{ readonly identity: Identity; readonly reticulum: ReticulumIdentity }> {
  let reticulum: ReticulumIdentity | undefined
  const identity = await openIdentity(
    crypto,
    at.file,
    { ...passphrase, file: at.passphraseFile },
    {
      stateDir,
      warn: (text) => log.warn(text),
      use: async (seed) => {
        reticulum = await derivedReticulumIdentity(crypto, seed)
      },
    },
  )
  return { identity, reticulum: reticulum as ReticulumIdentity }
}

function economyOf(crypto: Crypto, settings: Loaded['config']['economy']): EconomyOptions | undefined {
  const { genesisFile, exposureLimitMicro } = settings
  if (genesisFile === undefined) return undefined
  return { genesis: readGenesis(crypto, genesisFile), exposureLimitMicro: BigInt(exposureLimitMicro) }
}

async function buildNode(store: SqliteStore, options: Parameters<typeof createNode>[0]): Promise<Node> {
  try {
    return await createNode(options)
  } catch (error) {
    store.close()
    throw error
  }
}

interface Parts {
  readonly node: Node
  readonly store: SqliteStore
  readonly lock: { release(): void }
  readonly segment: NodeSegment | undefined
}

async function bringUp(
  { node, store, lock, segment }: Parts,
  config: Loaded['config'],
  log: Logger,
): Promise<RunningNode> {
  const control = new ControlServer(config.socket, node.api)
  const pages = new Pages(config, node, log)
  const pidFile = join(config.stateDir, 'pid')
  // For nexus-node status: the address holds the token, which is made anew with each start.
  const pageFile = join(config.stateDir, 'page')
  rmSync(pageFile, { force: true })
  let sayEnded = (): void => {}
  const stopped = new Promise<void>((resolve) => {
    sayEnded = resolve
  })
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      segment?.stop()
      await node.stop()
      await pages.stop()
      await control.stop()
      store.close()
      for (const file of [pageFile, pidFile]) rmSync(file, { force: true })
      lock.release()
      sayEnded()
    })()
    return stopping
  }
  node.on('event', (event) => {
    logEvent(log, event)
    // Asked for over the control socket: what is around the node ends too.
    if (event.kind === 'stopping') setImmediate(() => void stop())
  })
  try {
    makePrivateFolder(dirname(config.socket))
    await control.start()
    await node.start()
    segment?.start(node)
    writeFileSync(pidFile, `${process.pid}\n`)
    const pageUrl = await pages.start()
    if (pageUrl !== undefined) writeFileSync(pageFile, `${pageUrl}\n`)
    return { node, socket: config.socket, pageUrl, stopped, stop }
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
}

/** Makes a folder that only its owner may enter; one that exists stays as it is. */
function makePrivateFolder(path: string): void {
  if (path.startsWith('\\\\')) return
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    const message = `${path} cannot be made: ${(error as Error).message}`
    throw new CommandFailure({ exit: 'config', code: 'state-dir', message, next: 'set another stateDir' })
  }
  if (!statSync(path).isDirectory()) {
    throw new CommandFailure({ exit: 'config', code: 'state-dir', message: `${path} is no folder` })
  }
}

function openState(path: string, log: Logger): SqliteStore {
  const { store, setAside } = openStore(path)
  if (setAside !== undefined) {
    log.error(
      { event: 'state-damaged', path: setAside.path, aside: setAside.asidePath, why: setAside.why },
      `${setAside.path} was damaged; it is kept as ${setAside.asidePath}, and the node begins with an empty one. Peers that were added by hand are to be added again.`,
    )
  }
  return store
}

/** The key in a file of nexus-keygen network-key: 64 hexadecimal digits. @throws {CommandFailure} */
export function readNetworkKey(path: string): Uint8Array {
  const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined
  if (text !== undefined && /^[0-9a-f]{64}$/.test(text)) return fromHex(text)
  throw new CommandFailure({
    exit: 'config',
    code: 'network-key',
    message:
      text === undefined
        ? `there is no network key at ${path}`
        : `${path} holds no network key: expected 64 hexadecimal digits`,
    next: `make it on each node from the same passphrase: nexus-keygen network-key --out ${path}`,
  })
}
