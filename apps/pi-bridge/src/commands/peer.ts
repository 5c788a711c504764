import { fromHex, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { nodeIdOf } from '@nexus/identity'
import type { MethodResult } from '@nexus/node/api'
import type { ControlClient } from '@nexus/node/control'
import { Command, InvalidArgumentError } from 'commander'
import { withNode } from '../cli/connect.ts'
import { CommandFailure } from '../cli/failure.ts'
import { action, type Context } from '../cli/frame.ts'
import { printable, table } from '../cli/table.ts'

type Peer = MethodResult<'peer-add'>

interface AddFlags {
  readonly name?: string
  readonly via?: string
  readonly address?: string
  readonly price?: number
  readonly credit?: string
  readonly vouch?: boolean
}

/** As `priceMicroPerMib` of the configuration. */
const PRICE_MICRO_MAX = 1_000_000_000

/** `nexus-peer`: whom the operator trusts. */
export function peerCommand(): Command {
  const command = new Command('nexus-peer').description(
    'Name peers that are trusted: they link where admission is trusted, and are relayed for free, or at a price of their own.',
  )
  command
    .command('add')
    .description('Trust a peer, or change what is noted of it.')
    .argument('<node>', 'its NodeID (32 hexadecimal digits) or public key (64), from nexus-keygen show')
    .option('--name <name>', 'your name for it')
    .option('--address <address>', 'where to dial it: host:port')
    .option('--via <interface>', 'interface to dial it on, as nexus-status names it')
    .option('--price <micro>', 'charge it so much, in µNXS per MiB, by whatever link its packets leave', wholeMicro)
    .option('--credit <micro>', 'what it may owe beyond its balance, in µNXS; its friends a tenth of it', wholeText)
    .option('--vouch', 'tell others that it is trusted, so that they may give it credit')
    .action(action<AddFlags>((context, node) => add(context, node!)))
  command
    .command('remove')
    .alias('rm')
    .description('Trust a peer no more; where admission is trusted its links are closed.')
    .argument('<node>', 'its NodeID or your name for it')
    .action(action((context, node) => remove(context, node!)))
  command
    .command('list', { isDefault: true })
    .alias('ls')
    .description('List the trusted peers.')
    .action(action((context) => list(context)))
  return command
}

async function add({ global, flags, out }: Context<AddFlags>, given: string): Promise<undefined> {
  const who = identify(given)
  await withNode(global, async (node) => {
    const address = await dialAddress(node, flags)
    const peer = await node.call('peer-add', {
      ...who,
      ...(flags.name === undefined ? {} : { name: flags.name }),
      ...(address === undefined ? {} : { address }),
      ...(flags.price === undefined ? {} : { priceMicroPerMib: flags.price }),
      ...(flags.credit === undefined ? {} : { creditLineMicro: flags.credit }),
      ...(flags.vouch === true ? { vouched: true } : {}),
    })
    out.json(peer)
    out.print(`trusted: ${called(peer)}${peer.address === undefined ? '' : `, dialled as ${peer.address}`}`)
    out.say(await prospect(node, peer))
  })
  return undefined
}

async function remove({ global, out }: Context<unknown>, given: string): Promise<undefined> {
  await withNode(global, async (node) => {
    const peer = await node.call('peer-remove', { nodeId: await known(node, given) })
    out.json(peer)
    out.print(`no longer trusted: ${called(peer)}`)
  })
  return undefined
}

async function list({ global, out }: Context<unknown>): Promise<undefined> {
  await withNode(global, async (node) => {
    const [{ peers }, { links }] = await Promise.all([
      node.call('peer-list', {}),
      node.call('status', { routesMax: 0 }),
    ])
    out.json({ peers })
    if (peers.length === 0) return out.print('No peer is trusted. Add one with nexus-peer add.')
    const linked = new Set(links.map(({ peer }) => peer))
    const rows = peers.map((peer) => [
      printable(peer.name ?? '–'),
      peer.nodeId,
      linked.has(peer.nodeId) ? 'yes' : 'no',
      printable(peer.address ?? '–'),
      termsOf(peer),
    ])
    out.print(
      table(
        [{ title: 'NAME' }, { title: 'NODEID' }, { title: 'LINKED' }, { title: 'DIALLED AS' }, { title: 'TERMS' }],
        rows,
        out.colors,
      ),
    )
  })
  return undefined
}

/** What to expect after a peer was named: whether it is linked, and what it takes where it was refused before. */
async function prospect(node: ControlClient, { nodeId, address }: Peer): Promise<string> {
  const { links, node: self, interfaces } = await node.call('status', { routesMax: 0 })
  if (links.some(({ peer }) => peer === nodeId)) return 'It is linked.'
  const admission =
    self.admission === 'trusted'
      ? 'If it was refused before, it is let in now: both greet each other anew within seconds.'
      : 'It links as soon as it is heard.'
  const dialled = interfaces.some(({ id }) => address === id || address?.startsWith(`${id} `))
  const missing =
    address === undefined || dialled
      ? ''
      : ` No interface is called ${address.split(' ')[0]}: it cannot be dialled there.`
  return `It is not linked yet. ${admission}${missing} It must let this node in as well: nexus-peer add ${self.nodeId}`
}

function wholeText(text: string): string {
  if (!/^\d{1,19}$/.test(text)) throw new InvalidArgumentError('It is a whole number of µNXS.')
  return text
}

function wholeMicro(text: string): number {
  const micro = Number(wholeText(text))
  if (micro > PRICE_MICRO_MAX) throw new InvalidArgumentError(`It is at most ${PRICE_MICRO_MAX} µNXS per MiB.`)
  return micro
}

function identify(given: string): { nodeId: string; publicKey?: string } {
  const hex = given.toLowerCase()
  if (/^[0-9a-f]{32}$/.test(hex)) return { nodeId: hex }
  if (/^[0-9a-f]{64}$/.test(hex)) return { nodeId: toHex(nodeIdOf(portable(), fromHex(hex))), publicKey: hex }
  throw new CommandFailure({
    exit: 'usage',
    code: 'usage',
    message: `${JSON.stringify(given)} is neither a NodeID (32 hexadecimal digits) nor a public key (64)`,
    next: 'the peer sees its own with nexus-keygen show or nexus-status',
  })
}

/** The NodeID of a trusted peer that is given by NodeID or name. */
async function known(node: ControlClient, given: string): Promise<string> {
  if (/^[0-9a-fA-F]{32}$/.test(given)) return given.toLowerCase()
  const { peers } = await node.call('peer-list', {})
  const named = peers.filter(({ name }) => name === given)
  if (named.length === 1) return named[0]!.nodeId
  throw new CommandFailure({
    exit: 'notFound',
    code: 'not-found',
    message: `${named.length === 0 ? 'no' : 'more than one'} trusted peer is called ${JSON.stringify(given)}`,
    next: 'nexus-peer list shows them',
  })
}

/** An address as the node keeps it: interface, then address. A host:port alone goes by the one interface that takes such. */
async function dialAddress(node: ControlClient, { via, address }: AddFlags): Promise<string | undefined> {
  if (via !== undefined) return address === undefined ? via : `${via} ${address}`
  if (address === undefined) return undefined
  const { interfaces } = await node.call('status', { routesMax: 0 })
  const dialling = interfaces.filter(({ kind }) => kind === 'udp')
  if (dialling.length === 1) return `${dialling[0]!.id} ${address}`
  throw new CommandFailure({
    exit: 'usage',
    code: 'usage',
    message: `${dialling.length === 0 ? 'no' : 'more than one'} interface could dial ${address}`,
    next: 'name it with --via; TCP and WebSocket servers are dialled by an interface of the configuration',
  })
}

function termsOf({ priceMicroPerMib, creditLineMicro, vouched }: Peer): string {
  const terms = [
    priceMicroPerMib === undefined ? 'free' : `${priceMicroPerMib} µNXS/MiB`,
    ...(creditLineMicro === undefined ? [] : [`credit ${creditLineMicro} µNXS`]),
    ...(vouched ? ['vouched for'] : []),
  ]
  return terms.join(', ')
}

function called({ name, nodeId }: Peer): string {
  return name === undefined ? nodeId : `${printable(name)} (${nodeId})`
}
