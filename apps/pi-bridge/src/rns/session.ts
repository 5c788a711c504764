import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fromHex, toHex } from '@nexus/codec'
import { type Identity, ReticulumError } from '@nexus/reticulum'
import {
  autoMedium,
  type Medium,
  type MediumOptions,
  type RunningReticulum,
  readIdentity,
  sharedInstanceMedium,
  startReticulum,
  tcpClientMedium,
  tcpServerMedium,
  udpMedium,
  writeIdentity,
} from '@nexus/reticulum/node'
import { parseAddress } from '@nexus/transport'
import { type Command, Option } from 'commander'
import envPaths from 'env-paths'
import { CommandFailure } from '../cli/failure.ts'
import { durationMs } from '../cli/parse.ts'

const ONLINE_MS_MAX = 10_000
const HASH = /^[0-9a-f]{32}$/

/** How a command of nexus-rns reaches a Reticulum network. */
export interface NetworkFlags {
  readonly connect: readonly string[]
  readonly listen: readonly string[]
  readonly udp: readonly string[]
  readonly auto?: boolean | string
  readonly shared?: boolean | string
  readonly identity?: string
  readonly networkName?: string
  readonly passphrase?: string
  readonly timeout: number
}

/** Adds the flags of {@link NetworkFlags}. */
export function withNetwork(command: Command): Command {
  const each = (value: string, before: string[]) => [...before, value]
  return command
    .addOption(
      new Option('--connect <host:port>', 'TCP interface of another node; repeatable').argParser(each).default([]),
    )
    .addOption(new Option('--listen <host:port>', 'let others connect by TCP; repeatable').argParser(each).default([]))
    .addOption(
      new Option('--udp <port:host:port>', 'own port, and where to send; repeatable').argParser(each).default([]),
    )
    .addOption(new Option('--auto [group]', 'nodes on the networks of this machine, as AutoInterface finds them'))
    .addOption(
      new Option('--shared [name]', 'the shared instance of this machine, such as its rnsd; a number is a TCP port'),
    )
    .addOption(new Option('--identity <file>', 'identity file, as Reticulum has them; made where there is none'))
    .addOption(new Option('--network-name <name>', 'of interfaces with access codes').env('NEXUS_RNS_NETWORK'))
    .addOption(new Option('--passphrase <text>', 'of interfaces with access codes').env('NEXUS_RNS_PASSPHRASE'))
    .addOption(new Option('--timeout <duration>', 'for each answer').argParser(durationMs).default(15_000, '15s'))
}

/** Does `work` on a Reticulum network, and leaves it. */
export async function onNetwork<T>(flags: NetworkFlags, work: (reticulum: RunningReticulum) => Promise<T>): Promise<T> {
  const media = mediaOf(flags)
  if (media.length === 0) {
    throw new CommandFailure({
      exit: 'usage',
      code: 'no-interface',
      message: 'no way into a Reticulum network',
      next: 'name one with --shared, --auto, --connect HOST:PORT, --listen HOST:PORT or --udp PORT:HOST:PORT',
    })
  }
  const reticulum = await startReticulum({ media })
  try {
    // Who waits for others has nobody to wait for first.
    if (flags.listen.length === 0 && flags.auto === undefined)
      await reticulum.node.online({ signal: AbortSignal.timeout(ONLINE_MS_MAX) })
    return await work(reticulum)
  } catch (error) {
    throw asFailure(error)
  } finally {
    await reticulum.stop()
  }
}

/** The identity of the file, made where there is none. */
export async function identityOf(flags: NetworkFlags, reticulum: RunningReticulum): Promise<Identity> {
  const file = flags.identity ?? join(envPaths('nexus', { suffix: '' }).config, 'reticulum-identity')
  if (existsSync(file)) return readIdentity(reticulum.crypto, file)
  const identity = reticulum.newIdentity()
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  await writeIdentity(identity, file)
  return identity
}

/** A destination hash in hexadecimal, as Reticulum prints them, with or without its brackets. */
export function hashOf(text: string): Uint8Array {
  const plain = text.toLowerCase().replace(/^<|>$/g, '')
  if (!HASH.test(plain)) {
    throw new CommandFailure({ exit: 'usage', code: 'hash', message: `${text} is no hash of 32 hexadecimal digits` })
  }
  return fromHex(plain)
}

/** A hash as Reticulum prints it. */
export function pretty(hash: Uint8Array): string {
  return `<${toHex(hash)}>`
}

function mediaOf({ connect, listen, udp, auto, shared, networkName, passphrase }: NetworkFlags): Medium[] {
  const code = {
    ...(networkName === undefined ? {} : { networkName }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
  const options: MediumOptions = Object.keys(code).length === 0 ? {} : { accessCode: code }
  return [
    ...connect.map((address) => tcpClientMedium(address, options)),
    ...listen.map((address) => tcpServerMedium(parseAddress(address), options)),
    ...udp.map((text) => {
      const [port = '', ...peer] = text.split(':')
      return udpMedium({ ...options, port: Number(port), peers: [peer.join(':')] })
    }),
    ...(auto === undefined ? [] : [autoMedium({ ...options, ...(auto === true ? {} : { groupId: String(auto) }) })]),
    ...(shared === undefined ? [] : [sharedInstanceMedium(sharedInstanceOf(shared))]),
  ]
}

/** `--shared`, `--shared NAME`, `--shared 37428`. */
function sharedInstanceOf(text: boolean | string): Parameters<typeof sharedInstanceMedium>[0] {
  if (typeof text === 'boolean') return {}
  return { at: /^\d+$/.test(text) ? { port: Number(text) } : { instanceName: text } }
}

function asFailure(error: unknown): unknown {
  if (error instanceof ReticulumError) {
    const { code } = error.detail
    const exit = code === 'reticulum/no-path' ? 'notFound' : code === 'reticulum/timeout' ? 'unanswered' : 'failed'
    return new CommandFailure({ exit, code, message: error.message }, { cause: error })
  }
  if (error instanceof DOMException && error.name === 'TimeoutError') {
    return new CommandFailure({
      exit: 'unanswered',
      code: 'offline',
      message: 'no interface came up',
      next: 'is the other node running, and the address right?',
    })
  }
  return error
}
