import type { Status } from '@nexus/node/api'
import { Command, Option } from 'commander'
import { pause, withNode } from '../cli/connect.ts'
import { CommandFailure } from '../cli/failure.ts'
import { action, type Context } from '../cli/frame.ts'
import type { Output } from '../cli/output.ts'
import { durationMs, wholeNumber } from '../cli/parse.ts'
import { printable, table } from '../cli/table.ts'
import { bitRate, bytes, cost, duration, percent, plural, roundTrip } from '../cli/units.ts'
import { called, WAY_COLUMNS, wayCells } from '../cli/ways.ts'

export const SECTIONS = ['node', 'interfaces', 'links', 'routes', 'gossip', 'messages', 'counters'] as const
export type Section = (typeof SECTIONS)[number]

interface Flags {
  readonly watch?: true
  readonly interval: number
  readonly routesMax: number
}

/** `nexus-status`: what a node is and does. */
export function statusCommand(): Command {
  return new Command('nexus-status')
    .description('Show a running node: interfaces, links, routes, neighbours, control budget.')
    .argument('[sections...]', `what to show: ${SECTIONS.join(', ')}; all, if not given`)
    .option('-w, --watch', 'show it again and again; Ctrl-C ends it')
    .addOption(new Option('--interval <duration>', 'between two looks').argParser(durationMs).default(2_000, '2s'))
    .addOption(new Option('--routes-max <count>', 'routes to show').argParser(wholeNumber(0, 1_000_000)).default(100))
    .action(
      action<Flags>(async (context, ...given) => {
        const sections = sectionsOf(given)
        await withNode(context.global, async (node) => {
          const { watch, interval, routesMax } = context.flags
          const show = async (): Promise<void> =>
            showStatus(context, await node.call('status', { routesMax }), sections)
          if (watch === undefined) return show()
          while (!context.signal.aborted) {
            if (process.stdout.isTTY && !context.out.isJson) process.stdout.write('\u001b[H\u001b[2J')
            await show()
            await pause(interval, context.signal)
          }
        })
        return undefined
      }),
    )
}

function sectionsOf(given: readonly string[]): readonly Section[] {
  const unknown = given.find((name) => !SECTIONS.includes(name as Section))
  if (unknown !== undefined) {
    throw new CommandFailure({
      exit: 'usage',
      code: 'usage',
      message: `there is no section ${JSON.stringify(unknown)}`,
      next: `sections: ${SECTIONS.join(', ')}`,
    })
  }
  return given.length === 0 ? SECTIONS : (given as Section[])
}

function showStatus({ out }: Context<Flags>, status: Status, sections: readonly Section[]): void {
  out.json(status)
  if (!out.isJson) out.print(statusText(out, status, sections))
}

/** A status for people. */
export function statusText(out: Pick<Output, 'colors'>, status: Status, sections: readonly Section[]): string {
  const parts = sections.map((section) => SHOW[section](out.colors, status)).filter((part) => part !== '')
  return parts.join('\n\n')
}

type Show = (colors: Output['colors'], status: Status) => string

const SHOW: Record<Section, Show> = {
  node: (colors, { node, knownNodes }) => {
    const name = node.label === undefined ? '' : `${colors.bold(printable(node.label))}  `
    const closed = [
      node.networkKey ? 'network key' : '',
      node.admission === 'trusted' ? 'trusted peers only' : '',
    ].filter(Boolean)
    return [
      `${name}${node.nodeId}`,
      colors.dim(
        `nexus ${node.version}, up ${duration(node.upForMs)}, policy ${node.policy}, rounds of ${duration(node.roundMs)}, ` +
          `${closed.length === 0 ? 'open to anyone' : closed.join(', ')}, ${plural(knownNodes, 'node')} known`,
      ),
    ].join('\n')
  },
  interfaces: (colors, { interfaces }) => {
    if (interfaces.length === 0) return colors.yellow('No interface is up.')
    return table(
      [
        { title: 'INTERFACE' },
        { title: 'LINKS', align: 'right' },
        { title: 'RATE', align: 'right' },
        { title: 'MEASURED', align: 'right' },
        { title: 'SENT', align: 'right' },
        { title: 'RECEIVED', align: 'right' },
        { title: 'QUEUED', align: 'right' },
        { title: 'CONTROL', align: 'right' },
        { title: 'CONTROL BUDGET', align: 'right' },
        { title: 'REFUSED' },
      ],
      interfaces.map((each) => [
        printable(each.id),
        String(each.links),
        bitRate(each.bitrateBps),
        bitRate(each.congestion.measuredBps),
        bytes(each.sentBytes),
        bytes(each.receivedBytes),
        bytes(each.queuedBytes),
        bytes(each.controlBytes),
        bitRate(each.controlBudgetBps),
        reasons(each.refused),
      ]),
      colors,
    )
  },
  links: (colors, { links }) => {
    if (links.length === 0) return colors.yellow('No neighbour is linked.')
    return table(
      [
        { title: 'NEIGHBOUR' },
        { title: 'OVER' },
        { title: 'RTT', align: 'right' },
        { title: 'UP', align: 'right' },
        { title: 'HEARD', align: 'right' },
        { title: 'QUEUE', align: 'right' },
        { title: 'CONGESTION' },
        { title: 'DROPPED', align: 'right' },
        { title: 'COST', align: 'right' },
        { title: 'TRUSTED' },
      ],
      links.map((link) => [
        called(link.label, link.peer),
        printable(link.address === undefined ? link.interfaceId : `${link.interfaceId} ${link.address}`),
        roundTrip(link.rttMs),
        duration(link.upForMs),
        `${duration(link.heardAgoMs)} ago`,
        percent(link.queueFill),
        ['clear', 'moderate', 'severe', 'saturated'][link.congestion.severity]!,
        String(link.congestion.dropped.expired + link.congestion.dropped.full),
        cost(link.addedCost),
        link.trusted ? 'yes' : 'no',
      ]),
      colors,
    )
  },
  routes: (colors, { routes, routesTotal }) => {
    if (routesTotal === 0) return colors.yellow('No route is known.')
    const more = routesTotal - routes.length
    const rows = routes.map((route) => [
      called(route.label, route.destination),
      ...wayCells(route.nextHop === route.destination ? 'itself' : route.nextHop.slice(0, 12), route),
      String(route.alternatives),
      route.state,
    ])
    const shown = table(
      [{ title: 'DESTINATION' }, ...WAY_COLUMNS, { title: 'OTHERS', align: 'right' }, { title: 'STATE' }],
      rows,
      colors,
    )
    return more > 0 ? `${shown}\n${colors.dim(`and ${more} more; --routes-max shows them`)}` : shown
  },
  gossip: (colors, { gossip }) =>
    `${colors.dim('GOSSIP')}  ${gossip.map(({ tier, records }) => `tier ${tier}: ${plural(records, 'record')}`).join(', ')}`,
  messages: (colors, { messages }) =>
    `${colors.dim('MESSAGES')}  outbox: ${messages.queued} queued, ${messages.sent} sent, ${messages.delivered} delivered, ` +
    `${messages.failed} failed; inbox: ${messages.inbox} not taken`,
  counters: (colors, { counters }) =>
    `${colors.dim('PACKETS')}  ${counters.forwarded} forwarded, ${counters.delivered} for this node, announces ` +
    `${counters.announcesVerified} verified and ${counters.announcesRefused} refused, dropped: ${reasons(counters.dropped)}`,
}

function reasons(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0)
  return some.length === 0 ? 'none' : some.map(([reason, count]) => `${count} ${reason}`).join(', ')
}
