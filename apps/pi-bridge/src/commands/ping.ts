import type { TraceResult } from '@nexus/node/api'
import { Command, Option } from 'commander'
import { pause, withNode } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import { action, type Context } from '../cli/frame.ts'
import { durationMs, wholeNumber } from '../cli/parse.ts'
import { duration } from '../cli/units.ts'

interface Flags {
  readonly count: number
  readonly interval: number
  readonly timeout: number
}

/** `nexus-ping`: whether a node answers, and how fast. */
export function pingCommand(): Command {
  return new Command('nexus-ping')
    .description('Ask whether a node answers, and how fast.')
    .argument('<to>', 'NodeID, or the name or label of a node')
    .addOption(new Option('-n, --count <count>', 'how often').argParser(wholeNumber(1, 1_000_000)).default(4))
    .addOption(new Option('-i, --interval <duration>', 'between two').argParser(durationMs).default(1_000, '1s'))
    .addOption(new Option('--timeout <duration>', 'for each answer').argParser(timeout).default(10_000, '10s'))
    .action(action<Flags>((context, to) => ping(context, to!)))
}

/** The node waits a minute for an answer at most. */
export function timeout(text: string): number {
  return Math.min(60_000, durationMs(text))
}

async function ping({ global, flags, out, signal }: Context<Flags>, to: string): Promise<number> {
  const results: TraceResult[] = []
  await withNode(global, async (node) => {
    for (let n = 1; n <= flags.count && !signal.aborted; n++) {
      const startMs = performance.now()
      const result = await node.call('ping', { to, timeoutMs: flags.timeout })
      results.push(result)
      out.json(result)
      const { outcome, rttMs, explanation } = result
      out.print(
        outcome === 'arrived' ? `${n}: answered in ${duration(rttMs ?? 0)}` : `${n}: ${outcome}: ${explanation}`,
      )
      if (n < flags.count) await pause(flags.interval - (performance.now() - startMs), signal)
    }
  })
  const summary = summarise(results)
  out.json(summary)
  const { sent, answered, rttMs } = summary
  const times =
    rttMs === null
      ? ''
      : `; round trip least ${duration(rttMs.min)}, mean ${duration(rttMs.mean)}, most ${duration(rttMs.max)}`
  out.print(`${answered} of ${sent} answered${times}`)
  return answered > 0 ? EXIT.ok : EXIT.unanswered
}

/** What many pings say together, as nexus-ping-summary/1. */
export function summarise(results: readonly TraceResult[]): {
  schema: 'nexus-ping-summary/1'
  sent: number
  answered: number
  rttMs: { min: number; mean: number; max: number } | null
} {
  const times = results.flatMap(({ outcome, rttMs }) => (outcome === 'arrived' && rttMs !== null ? [rttMs] : []))
  const sum = times.reduce((total, each) => total + each, 0)
  const rttMs =
    times.length === 0 ? null : { min: Math.min(...times), mean: sum / times.length, max: Math.max(...times) }
  return { schema: 'nexus-ping-summary/1', sent: results.length, answered: times.length, rttMs }
}
