import { EXIT } from '../cli/exit-codes.ts'
import type { Context } from '../cli/frame.ts'
import { pageHint } from '../cli/page-hint.ts'
import { loadWithFlags } from '../config/from-flags.ts'
import type { Loaded } from '../config/load.ts'
import { daemonOrders, type Started, startDaemon } from '../run/daemon.ts'
import { type PassphraseSource, passphraseOf } from '../run/identity.ts'

export interface StartFlags extends Readonly<Record<string, unknown>> {
  readonly daemon?: true
  readonly passphraseStdin?: true
}

/** `nexus-node start` */
export async function startNode(context: Context<StartFlags>): Promise<number> {
  const { flags, global, out } = context
  const loaded = loadWithFlags(global, flags)
  for (const warning of loaded.warnings) out.say(`warning: ${warning}`)
  if (flags.daemon) return startInBackground(context, loaded)
  return runToEnd(loaded, { isStdin: flags.passphraseStdin === true }, context.signal, (started) => {
    out.json(started)
    if (started.page !== null) out.print(pageHint(started.page, out.colors))
  })
}

/** Starts the node in the background and says where it is. */
export async function startInBackground({ flags, out }: Context<StartFlags>, loaded: Loaded): Promise<number> {
  const { file, passphraseFile } = loaded.config.identity
  const passphrase = await passphraseOf(file, { file: passphraseFile, isStdin: flags.passphraseStdin === true })
  const started = await startDaemon({ loaded, ...(passphrase === undefined ? {} : { passphrase }) })
  out.json(started)
  out.print(`${started.nodeId} is up, pid ${started.pid}`)
  if (started.page !== null) out.print(pageHint(started.page, out.colors))
  out.say(`log: ${started.log}`)
  return EXIT.ok
}

/** What the process in the background does. */
export async function runInBackground({ signal }: Context<unknown>): Promise<number> {
  const { loaded, passphrase } = await daemonOrders()
  return runToEnd(loaded, { atHand: passphrase }, signal, (started) => void process.send?.(started))
}

async function runToEnd(
  loaded: Loaded,
  passphrase: Omit<PassphraseSource, 'file'>,
  signal: AbortSignal,
  onStarted: (started: Started) => void,
): Promise<number> {
  // Node says once per process that its SQLite is experimental; users can do nothing about it.
  process.removeAllListeners('warning')
  const { createLog } = await import('../run/log.ts')
  const { runNode } = await import('../run/run-node.ts')
  const running = await runNode(loaded, { log: createLog(loaded.config.log), passphrase })
  const { node, socket, pageUrl, stopped } = running
  const stop = (): void => void running.stop()
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  process.once('SIGHUP', stop)
  onStarted({ schema: 'nexus-started/1', nodeId: node.nodeId, pid: process.pid, socket, page: pageUrl ?? null })
  await stopped
  return EXIT.ok
}
