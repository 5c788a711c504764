import type { Change, Check } from './compare.ts'
import type { Target } from './job.ts'
import type { ContenderResult, JobResult, Results, Verdict } from './results.ts'
import { type Spread, spreadOf } from './statistics.ts'

/** The tables for a terminal. */
export function textReport({ jobs, machine, quick }: Results): string {
  const head = `${machine.cpu}, ${machine.cores} cores, load ${machine.load[0]}; Node ${machine.node}; ${machine.reticulum ?? 'no Reticulum'}${quick ? '; quick run' : ''}`
  return [head, ...jobs.map(textOf)].join('\n\n')
}

function textOf({ title, unit, contenders, verdicts, notes }: JobResult): string {
  const width = Math.max(...contenders.map((contender) => contender.title.length))
  return [
    `${title}, ${unit}`,
    ...contenders.map(
      (contender) => `  ${contender.title.padEnd(width)}  ${figureOf(contender)}${detailsOf(contender)}`,
    ),
    ...verdicts.map(
      (verdict) => `  ${mark(verdict)} ${targetText(verdict.target, contenders)}: ${reachedText(verdict)}`,
    ),
    ...notes.map((note) => `  ${note}`),
  ].join('\n')
}

/** The same as Markdown, for docs/benchmarks.md. */
export function markdownReport({ date, jobs, machine, quick }: Results): string {
  const measured = jobs.filter(({ verdicts }) => verdicts.length > 0)
  const rows = measured.flatMap(({ title, contenders, verdicts }) =>
    verdicts.map(
      (verdict, at) =>
        `| ${at === 0 ? title : ''} | ${targetText(verdict.target, contenders)} | ${reachedText(verdict)} | ${verdict.outcome === 'missed' ? '**missed**' : verdict.outcome} |`,
    ),
  )
  const figures = jobs
    .filter(({ id }) => !id.startsWith('primitive-'))
    .flatMap(({ title, unit, contenders }) => [
      `\n**${title}**, ${unit}\n\n| | median [min – max] | |\n| --- | ---: | --- |`,
      ...contenders.map(
        (contender) => `| ${contender.title} | ${figureOf(contender)} | ${detailsOf(contender).trim()} |`,
      ),
    ])
  return [
    `${date.slice(0, 10)}, ${machine.cpu}, ${machine.cores} cores, load ${machine.load[0]} at the start; Node ${machine.node}, OpenSSL ${machine.openssl}; ${machine.reticulum ?? 'Reticulum absent'}.${quick ? ' A quick run.' : ''}`,
    '\n| job | target | reached, median [min – max] of the rounds | |\n| --- | --- | --- | --- |',
    ...rows,
    ...figures,
    ...primitivesTable(jobs),
  ].join('\n')
}

function primitivesTable(jobs: readonly JobResult[]): string[] {
  const rows = jobs.filter(({ id }) => id.startsWith('primitive-'))
  const columns = new Map(rows.flatMap(({ contenders }) => contenders.map(({ id, title }) => [id, title] as const)))
  if (rows.length === 0) return []
  return [
    `\n**What everything is made of**, µs, median\n\n| | ${[...columns.values()].join(' | ')} |\n| --- |${' ---: |'.repeat(columns.size)}`,
    ...rows.map(({ title, contenders }) => {
      const cells = [...columns.keys()].map((id) => contenders.find((contender) => contender.id === id)?.spread)
      return `| ${title} | ${cells.map((spread) => (spread === undefined ? '' : number(spread.median))).join(' | ')} |`
    }),
  ]
}

/** One line per target of two runs. */
export function changesText(changes: readonly Change[]): string {
  return changes
    .map(({ id, now, before, factor, regressed }) => {
      const change = `${number(before.median)} → ${number(now.median)}`
      return `${regressed ? '✗' : '·'} ${id}: ${change} (× ${factor.toFixed(2)}${regressed ? ', fell' : ''})`
    })
    .join('\n')
}

/** One line per target of a check. */
export function checksText(checks: readonly Check[]): string {
  return checks.map(({ id, passed, verdict }) => `${passed ? '✓' : '✗'} ${id}: ${reachedText(verdict)}`).join('\n')
}

function targetText(target: Target, contenders: readonly ContenderResult[]): string {
  const titleOf = (id: string) => (id === 'limit' ? 'the bare limit' : id === 'reticulum' ? 'Reticulum' : id)
  const subject = contenders.filter(({ kind }) => kind === 'ours').length > 1 ? `${target.of}: ` : ''
  const bound = 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`
  if (target.kind === 'value') return `${subject}${bound}`
  if (target.kind === 'difference') return `${subject}${bound} above ${titleOf(target.against)}`
  return `${subject}${bound} × ${titleOf(target.against)}${target.kind === 'cpu-ratio' ? ', by CPU time' : ''}`
}

function reachedText({ reached, outcome }: Verdict): string {
  return reached === undefined ? 'not measured' : `${spreadText(reached)}${outcome === 'missed' ? ', missed' : ''}`
}

function figureOf({ absent, spread }: ContenderResult): string {
  return spread === undefined ? `ABSENT: ${absent ?? 'no reading'}` : spreadText(spread)
}

function detailsOf({ cpuMicros, details }: ContenderResult): string {
  const cpu = cpuMicros.length === 0 ? '' : `  ${number(spreadOf(cpuMicros).median)} µs of CPU each`
  const shown = Object.entries(details).filter(([name, value]) => name !== 'lost' || value > 0)
  return (
    cpu + shown.map(([name, value]) => `  ${DETAILS[name]?.(number(value)) ?? `${name} ${number(value)}`}`).join('')
  )
}

const DETAILS: Readonly<Record<string, (value: string) => string>> = {
  lost: (value) => `${value} lost`,
  startedMs: (value) => `runs after ${value} ms`,
  tables: (value) => `${value} B of it tables`,
}

function mark({ outcome }: Verdict): string {
  return outcome === 'met' ? '✓' : outcome === 'missed' ? '✗' : '?'
}

function spreadText({ median, min, max }: Spread): string {
  return `${number(median)} [${number(min)} – ${number(max)}]`
}

/** Three digits that mean something; thousands apart. */
export function number(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : 2
  const rounded = size >= 1_000 ? Number(value.toPrecision(3)) : value
  return rounded
    .toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replaceAll(',', ' ')
}
