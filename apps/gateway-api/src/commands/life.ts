import { spawn } from 'node:child_process'
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { nodeCrypto } from '@nexus/crypto/node'
import { Command } from 'commander'
import { CommandFailure } from '../cli/failure.ts'
import { action } from '../cli/frame.ts'
import type { Loaded } from '../config/load.ts'
import { runForeground } from '../run/foreground.ts'
import { readSeed } from '../run/keys.ts'
import { prettyLine } from '../run/log.ts'
import { isAlive, LOG_FILE, type RunningState, running } from '../run/state.ts'
import { addSettings, configOf } from './options.ts'

/** How long a gateway may take to come up, and to end. */
const UP_MS_MAX = 60_000
const DOWN_MS_MAX = 30_000
const LOOK_MS = 100

interface UpFlags {
  readonly foreground?: boolean
}

export function upCommand(): Command {
  return addSettings(new Command('up'))
    .description('start the gateway, and its tunnel if one is configured')
    .option('--foreground', 'stay, and log to stderr: for service managers and containers')
    .action(
      action<UpFlags>(async ({ out, global, flags, signal }) => {
        const config = configOf(global, flags)
        const found = await running(config.stateDir)
        if (found !== undefined) {
          const message = `gateway ${found.state.pid} runs on ${config.stateDir}`
          throw new CommandFailure({ exit: 'running', code: 'running', message, next: 'nexus-gateway down ends it' })
        }
        const crypto = await nodeCrypto()
        const seed = readSeed(crypto, config.identity)
        if (flags.foreground) return runForeground({ crypto, config, seed, signal })
        const state = await startDetached(config)
        out.data(
          { schema: 'nexus-gateway-started/1', ...state },
          `gateway ${state.pid} takes requests at ${state.listen}, for ${state.origin}`,
        )
      }),
    )
}

export function downCommand(): Command {
  return addSettings(new Command('down'))
    .description('end the gateway: requests under way are answered, everything is written')
    .action(
      action(async ({ out, global, flags }) => {
        const found = await running(configOf(global, flags as object).stateDir)
        if (found === undefined) throw none()
        const { pid } = found.state
        process.kill(pid, 'SIGTERM')
        if (!(await until(() => !isAlive(pid), DOWN_MS_MAX))) {
          throw new CommandFailure({
            exit: 'failed',
            code: 'still-running',
            message: `gateway ${pid} has not ended in ${DOWN_MS_MAX / 1_000} s`,
          })
        }
        out.data({ schema: 'nexus-gateway-stopped/1', pid }, `gateway ${pid} has ended`)
      }),
    )
}

export function statusCommand(): Command {
  return addSettings(new Command('status'))
    .description('how the gateway is: entries, totals, root, chains')
    .action(
      action(async ({ out, global, flags }) => {
        const found = await running(configOf(global, flags as object).stateDir)
        if (found === undefined) throw none()
        const { status, state } = found
        const { totals, chains } = status
        const lines = [
          `gateway   ${state.pid} for ${state.origin}, at ${state.listen}`,
          `entries   ${totals.entries}, ${status.waiting} waiting`,
          `totals    ${totals.amount} = creator ${totals.creator} + pool ${totals.pool} + fee ${totals.fee}`,
          `root      ${status.root ?? 'none yet'}`,
          `log       ${status.logId}, key ${status.publicKey}`,
          `streams   ${status.streams}; refused since the start: ${status.rejections}`,
          ...chains.map(({ chain, anchored, waiting, fault }) => {
            const state_ = `anchored ${anchored ?? 'nothing yet'}${waiting === null ? '' : `, ${waiting} waits`}`
            return `chain     ${chain}: ${state_}${fault === null ? '' : `; down: ${fault}`}`
          }),
        ]
        out.data(status, lines.join('\n'))
      }),
    )
}

interface LogFlags {
  readonly follow?: boolean
  readonly lines: string
}

export function logsCommand(): Command {
  return addSettings(new Command('logs'))
    .description('the log of a gateway that was started in the background')
    .option('-f, --follow', 'go on with what comes')
    .option('-n, --lines <count>', 'lines to begin with', '50')
    .action(
      action<LogFlags>(async ({ out, global, flags, signal }) => {
        const path = join(configOf(global, flags).stateDir, LOG_FILE)
        if (!existsSync(path)) {
          throw new CommandFailure({ exit: 'notFound', code: 'no-log', message: `there is no log at ${path}` })
        }
        const show = (line: string): void => {
          if (line !== '') out.data(parsed(line), readable(line))
        }
        const text = readFileSync(path, 'utf8')
        const wanted = Math.max(0, Math.trunc(Number(flags.lines)) || 0)
        if (wanted > 0) for (const line of text.trimEnd().split('\n').slice(-wanted)) show(line)
        if (flags.follow) await follow(path, Buffer.byteLength(text), show, signal)
      }),
    )
}

/** Starts this program again by itself, and waits until it takes requests. */
async function startDetached(config: Loaded): Promise<RunningState> {
  const path = join(config.stateDir, LOG_FILE)
  mkdirSync(config.stateDir, { recursive: true, mode: 0o700 })
  const log = openSync(path, 'a', 0o600)
  const began = statSync(path).size
  const flags = process.argv.slice(2).filter((flag) => flag !== '--json')
  const child = spawn(
    process.execPath,
    [...process.execArgv, process.argv[1]!, ...flags, '--foreground', '--log-format', 'json'],
    {
      detached: true,
      stdio: ['ignore', log, log],
      env: process.env,
    },
  )
  closeSync(log)
  let code: number | null | undefined
  child.once('exit', (ended) => {
    code = ended ?? -1
  })
  const up = await until(async () => code !== undefined || (await running(config.stateDir)) !== undefined, UP_MS_MAX)
  const found = code === undefined && up ? await running(config.stateDir) : undefined
  if (found !== undefined) {
    child.unref()
    return found.state
  }
  child.kill('SIGTERM')
  const said = readFileSync(path).subarray(began).toString('utf8').trim().split('\n').slice(-3).join('\n')
  throw new CommandFailure({ exit: 'failed', code: 'not-up', message: `the gateway did not come up:\n${said}` })
}

async function follow(path: string, from: number, show: (line: string) => void, signal: AbortSignal): Promise<void> {
  let at = from
  let rest = ''
  while (!signal.aborted) {
    for await (const chunk of createReadStream(path, { start: at, encoding: 'utf8' })) {
      at += Buffer.byteLength(chunk)
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      for (const line of lines) show(line)
    }
    await pause(LOOK_MS)
  }
}

function readable(line: string): string {
  return line.startsWith('{') ? prettyLine(line, false) : line
}

function parsed(line: string): unknown {
  return line.startsWith('{') ? JSON.parse(line) : { msg: line }
}

async function until(done: () => boolean | Promise<boolean>, msMax: number): Promise<boolean> {
  for (const endMs = Date.now() + msMax; Date.now() < endMs; await pause(LOOK_MS)) if (await done()) return true
  return false
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function none(): CommandFailure {
  const next = 'start one with nexus-gateway up'
  return new CommandFailure({
    exit: 'noGateway',
    code: 'no-gateway',
    message: 'no gateway runs on this state folder',
    next,
  })
}
