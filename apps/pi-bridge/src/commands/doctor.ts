import { writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NodeEvent } from '@nexus/node/api'
import { type ControlClient, connectControl } from '@nexus/node/control'
import { Command } from 'commander'
import { EXIT } from '../cli/exit-codes.ts'
import { CommandFailure, failureOf } from '../cli/failure.ts'
import { action, type Context, type GlobalFlags } from '../cli/frame.ts'
import type { Output } from '../cli/output.ts'
import { VERSION } from '../cli/version.ts'
import { type Loaded, loadConfig } from '../config/load.ts'
import type { Check, Finding, Patient } from '../doctor/check.ts'
import { clock, disk, entropy, multicast, nodeVersion, serialPorts } from '../doctor/machine.ts'
import { duplicates, interfaces, neighbours, refusals, socket } from '../doctor/running.ts'
import { segment } from '../doctor/segment.ts'
import { configuration, damagedFiles, identity, stateFolder } from '../doctor/state.ts'

interface Flags {
  readonly bundle?: string
}

const CHECKS: readonly Check[] = [
  nodeVersion,
  clock,
  entropy,
  configuration,
  stateFolder,
  identity,
  damagedFiles,
  disk,
  serialPorts,
  multicast,
  socket,
  interfaces,
  neighbours,
  refusals,
  duplicates,
  segment,
]
/** How long the node may take to hand over its past events. */
const EVENTS_MS = 150

/** `nexus-doctor`: what is wrong, and what to do about it. */
export function doctorCommand(): Command {
  return new Command('nexus-doctor')
    .description('Check machine, configuration, keys and the running node; say what to do about what is wrong.')
    .option(
      '--bundle <file>',
      'also write findings, status, events and settings to a file, to ask others for help; no keys',
    )
    .action(action<Flags>((context) => examine(context)))
}

async function examine({ global, flags, out }: Context<Flags>): Promise<number> {
  const patient = await meet(global)
  const findings: Finding[] = []
  for (const check of CHECKS) findings.push(...(await check(patient)))
  const isWell = findings.every(({ verdict }) => verdict !== 'failure')
  out.json({ schema: 'nexus-doctor/1', ok: isWell, findings })
  out.print(findingsText(findings, out))
  if (flags.bundle !== undefined) {
    writeBundle(flags.bundle, bundleOf(patient, findings))
    out.say(`${flags.bundle} holds addresses and NodeIDs, but no keys; read it before you give it away.`)
  }
  return isWell ? EXIT.ok : EXIT.failed
}

/** Writes for its owner alone; never over another file. @throws {CommandFailure} */
function writeBundle(path: string, bundle: string): void {
  try {
    writeFileSync(path, bundle, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const message = `${path} is there already, and is not overwritten`
    throw new CommandFailure({ exit: 'failed', code: 'bundle-exists', message }, { cause: error })
  }
}

async function meet(global: GlobalFlags): Promise<Patient> {
  let loaded: Loaded | undefined
  let configProblem: string | undefined
  try {
    loaded = loadConfig({ file: global.config, env: process.env })
  } catch (error) {
    configProblem = failureOf(error).message
  }
  const socketPath = global.socket ?? loaded?.config.socket
  const node = socketPath === undefined ? undefined : await connectControl(socketPath).catch(() => undefined)
  const status = await node?.call('status', { routesMax: 100 })
  const events = node === undefined ? [] : await pastEvents(node)
  // A node without a segment refuses to tell of one.
  const segment = await node?.call('segment', {}).catch(() => undefined)
  node?.close()
  return { loaded, configProblem, socket: socketPath, status, events, segment }
}

/** The events that the node still remembers. */
async function pastEvents(node: ControlClient): Promise<NodeEvent[]> {
  const ended = new AbortController()
  const events: NodeEvent[] = []
  const reading = (async () => {
    for await (const event of node.stream('events', { after: 0 }, ended.signal)) events.push(event)
  })()
  await sleep(EVENTS_MS)
  ended.abort()
  await reading
  return events
}

function findingsText(findings: readonly Finding[], { colors }: Output): string {
  const marks = {
    ok: colors.green('ok     '),
    warning: colors.yellow('warning'),
    failure: colors.red('FAILURE'),
    skipped: colors.dim('skipped'),
  }
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, verdict, found, next }) => [
    `${marks[verdict]}  ${check.padEnd(width)}  ${found}`,
    ...(next === undefined ? [] : [`${' '.repeat(width + 11)}→ ${next}`]),
  ])
  const count = (verdict: Finding['verdict']): number => findings.filter((each) => each.verdict === verdict).length
  return [...lines, '', `${count('ok')} ok, ${count('warning')} warnings, ${count('failure')} failures`].join('\n')
}

/** Everything that helps another to help, as JSON; tokens are left out. */
function bundleOf({ loaded, configProblem, status, events, segment }: Patient, findings: readonly Finding[]): string {
  const { platform, arch, versions } = process
  const machine = { platform, arch, node: versions.node, nexus: VERSION }
  const config = loaded === undefined ? { problem: configProblem } : loaded.config
  const bundle = {
    schema: 'nexus-bundle/1',
    madeAt: new Date().toISOString(),
    machine,
    findings,
    config,
    status: status ?? null,
    segment: segment ?? null,
    events,
  }
  return `${JSON.stringify(bundle, (key, value: unknown) => (key === 'airToken' ? '…' : value), 2)}\n`
}
