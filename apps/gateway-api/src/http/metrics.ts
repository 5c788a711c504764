import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Services } from './route.ts'

/** Seconds; the last bucket of a histogram is the one without an end. */
const BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

interface Series {
  readonly buckets: number[]
  count: number
  sumS: number
}

/** What the gateway counts, as Prometheus reads it. Labels are few by nature: routes, methods, statuses. */
export class Metrics {
  readonly #answers = new Map<string, number>()
  readonly #durations = new Map<string, Series>()
  readonly #loop = monitorEventLoopDelay({ resolution: 20 })

  constructor() {
    this.#loop.enable()
  }

  /** An answer was sent; a request that no route took has none. */
  answered(method: string, route: string | undefined, status: number, tookMs: number): void {
    const at = route ?? 'none'
    const key = labels({ method: route === undefined ? 'any' : method, route: at, status })
    this.#answers.set(key, (this.#answers.get(key) ?? 0) + 1)
    const name = labels({ route: at })
    let series = this.#durations.get(name)
    if (series === undefined) {
      series = { buckets: BUCKETS_S.map(() => 0), count: 0, sumS: 0 }
      this.#durations.set(name, series)
    }
    const tookS = tookMs / 1_000
    series.count++
    series.sumS += tookS
    for (const [place, bound] of BUCKETS_S.entries()) if (tookS <= bound) series.buckets[place]!++
  }

  /** The exposition, in the text format 0.0.4. */
  async expose({ vault, sentry, streams, anchorer }: Services): Promise<string> {
    const size = (await vault.head().catch(() => undefined))?.size ?? 0
    const lines = [
      ...family('nexus_gateway_answers_total', 'counter', 'Answers by method, route and status.', this.#answers),
      ...this.#durationLines(),
      ...gauge('nexus_gateway_log_size', 'Entries of the ledger.', size),
      ...gauge('nexus_gateway_waiting', 'Entries that wait for their transaction.', vault.waiting),
      ...gauge('nexus_gateway_streams', 'Streams of events that are open.', streams.count),
      ...family(
        'nexus_gateway_rejections_total',
        'counter',
        'What the perimeter refused, by adapter and reason.',
        new Map(sentry.rejections().map(({ adapter, reason, count }) => [labels({ adapter, reason }), count])),
      ),
      ...family(
        'nexus_gateway_anchored_size',
        'gauge',
        'Size of the newest confirmed head, by chain.',
        new Map((anchorer?.status() ?? []).map(({ chain, newest }) => [labels({ chain }), newest?.head.size ?? 0])),
      ),
      ...gauge('process_resident_memory_bytes', 'Memory in use.', process.memoryUsage.rss()),
      ...gauge('nexus_gateway_loop_delay_seconds', 'Delay of the event loop, 99th percentile.', this.#loopDelayS()),
    ]
    return `${lines.join('\n')}\n`
  }

  #loopDelayS(): number {
    const delayS = this.#loop.percentile(99) / 1e9
    this.#loop.reset()
    return delayS
  }

  #durationLines(): string[] {
    const name = 'nexus_gateway_answer_seconds'
    const lines = [`# HELP ${name} From a request's arrival to its answer.`, `# TYPE ${name} histogram`]
    for (const [series, { buckets, count, sumS }] of this.#durations) {
      const within = series.slice(0, -1)
      for (const [at, bound] of BUCKETS_S.entries()) lines.push(`${name}_bucket${within},le="${bound}"} ${buckets[at]}`)
      lines.push(`${name}_bucket${within},le="+Inf"} ${count}`, `${name}_sum${series} ${sumS}`)
      lines.push(`${name}_count${series} ${count}`)
    }
    return lines
  }
}

function gauge(name: string, help: string, value: number): string[] {
  return family(name, 'gauge', help, new Map([['', value]]))
}

function family(name: string, type: 'counter' | 'gauge', help: string, values: ReadonlyMap<string, number>): string[] {
  const samples = [...values].map(([labelled, value]) => `${name}${labelled} ${value}`)
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples]
}

function labels(pairs: Readonly<Record<string, string | number>>): string {
  const quoted = (value: string | number): string => `${value}`.replaceAll(/["\\\n]/g, (sign) => `\\${sign}`)
  return `{${Object.entries(pairs)
    .map(([name, value]) => `${name}="${quoted(value)}"`)
    .join(',')}}`
}
