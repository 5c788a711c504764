import type { MethodResult } from '@nexus/node/api'
import type { Command } from 'commander'
import { withNode } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import { action, type Context } from '../cli/frame.ts'

type ChannelStatus = MethodResult<'channel-open'>
type LiveContext = Context<unknown>

/** What `nexus-channel` asks of a running node. */
export function addLiveCommands(command: Command): void {
  const peer = ['<peer>', 'NodeID of a neighbour, or its name or label'] as const
  command
    .command('open')
    .description('Offer a neighbour a channel; packets that win do so by themselves.')
    .argument(...peer)
    .action(action((context, to) => open(context, to!)))
  command
    .command('settle')
    .description('Have what is owed settled now, whoever owes it. Exit code 1 where there is nothing to settle.')
    .argument(...peer)
    .action(action((context, to) => settle(context, to!)))
  command
    .command('dispute')
    .description('Demand payment without the peer, by the ledger: nothing more is signed on this channel.')
    .argument(...peer)
    .action(action((context, to) => dispute(context, to!)))
}

async function open({ global, out }: LiveContext, to: string): Promise<undefined> {
  await withNode(global, async (node) => {
    const channel = await node.call('channel-open', { to })
    out.json(channel)
    out.print(lineOf(channel))
  })
  return undefined
}

async function settle({ global, out }: LiveContext, to: string): Promise<number> {
  let asked = false
  await withNode(global, async (node) => {
    const result = await node.call('channel-settle', { to })
    asked = result.asked
    out.json(result)
    out.print(lineOf(result.channel))
    out.say(asked ? 'The settlement is under way.' : 'There is nothing to settle, or the peer is not there.')
  })
  return asked ? EXIT.ok : EXIT.failed
}

const OUTCOMES: Readonly<Record<MethodResult<'channel-dispute'>['outcome'], string>> = {
  published:
    'The close is published: unless the peer settles before, the second epoch after the next pays it by the highest state that both signed.',
  'not-yet': 'Not yet: the peer has first to say its newest state, or a whole epoch to pass.',
  nothing: 'There is nothing to demand: no state that both signed goes beyond what is settled.',
}

async function dispute({ global, out }: LiveContext, to: string): Promise<number> {
  let published = false
  await withNode(global, async (node) => {
    const result = await node.call('channel-dispute', { to })
    published = result.outcome === 'published'
    out.json(result)
    out.print(lineOf(result.channel))
    out.say(OUTCOMES[result.outcome])
  })
  return published ? EXIT.ok : EXIT.failed
}

function lineOf({ peer, phase, sequence, owedMicro }: ChannelStatus): string {
  const owed = BigInt(owedMicro)
  const debt = owed === 0n ? 'nothing is owed' : owed > 0n ? `it owes ${owed} µNXS` : `owed to it: ${-owed} µNXS`
  return `${peer}: ${phase}, sequence ${sequence}, ${debt}`
}
