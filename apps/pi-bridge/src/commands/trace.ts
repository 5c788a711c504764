import type { MessageStatus, TraceResult } from '@nexus/node/api'
import { Command, Option } from 'commander'
import { withNode } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import { action, type Context } from '../cli/frame.ts'
import type { Output } from '../cli/output.ts'
import { printable, table } from '../cli/table.ts'
import { cost, percent, roundTrip } from '../cli/units.ts'
import { pathText } from './path.ts'
import { timeout } from './ping.ts'

interface Flags {
  readonly timeout: number
}

/** `nexus-trace`: the way to a node, hop by hop. */
export function traceCommand(): Command {
  return new Command('nexus-trace')
    .description('Follow the way to a node: per hop the round trip, queue and cost; why this way; why messages wait.')
    .argument('<to>', 'NodeID, or the name or label of a node')
    .addOption(new Option('--timeout <duration>', 'for the answer').argParser(timeout).default(30_000, '30s'))
    .action(action<Flags>((context, to) => trace(context, to!)))
}

async function trace({ global, flags, out }: Context<Flags>, to: string): Promise<number> {
  const [result, path, waiting] = await withNode(global, async (node) => {
    const traced = await node.call('trace', { to, timeoutMs: flags.timeout })
    const ways = await node.call('path', { to: traced.to })
    const { messages } = await node.call('outbox', {})
    return [
      traced,
      ways,
      messages.filter((message) => message.to === traced.to && message.state !== 'delivered'),
    ] as const
  })
  out.json(result)
  out.print(traceText(result, out))
  out.print(`\n${pathText(path, out)}`)
  if (waiting.length > 0) out.print(`\n${waitingText(waiting)}`)
  return result.outcome === 'arrived' ? EXIT.ok : EXIT.unanswered
}

/** A trace for people: a line per hop, then how it ended. */
export function traceText(
  { outcome, explanation, rttMs, hops }: TraceResult,
  { colors }: Pick<Output, 'colors'>,
): string {
  const end = outcome === 'arrived' ? colors.green('arrived') : colors.red(outcome)
  const total = rttMs === null ? '' : ` Round trip ${roundTrip(rttMs)}.`
  const summary = `${end}: ${explanation}${total}`
  if (hops.length === 0) return summary
  const rows = hops.map((hop, at) => {
    const isEnd = outcome === 'arrived' && at === hops.length - 1
    return [
      String(at + 1),
      hop.label === undefined ? hop.node.slice(0, 16) : `${printable(hop.label)} (${hop.node.slice(0, 8)})`,
      isEnd ? '–' : hop.medium,
      roundTrip(hop.rttMs),
      percent(hop.queueFill),
      isEnd ? '–' : cost(hop.addedCost),
    ]
  })
  const columns = [
    { title: 'HOP', align: 'right' },
    { title: 'NODE' },
    { title: 'SENDS BY' },
    { title: 'RTT OF ITS LINK', align: 'right' },
    { title: 'QUEUE', align: 'right' },
    { title: 'ADDS COST', align: 'right' },
  ] as const
  return `${table(columns, rows, colors)}\n\n${summary}`
}

/** What keeps the messages of the outbox that are for this node. */
function waitingText(messages: readonly MessageStatus[]): string {
  return messages
    .map(({ id, state, reason, next, attempts }) => {
      const why = [reason, next].filter((part) => part !== undefined).join('; ')
      return `message ${id}: ${state} after ${attempts} transmissions${why === '' ? '' : `: ${why}`}`
    })
    .join('\n')
}
