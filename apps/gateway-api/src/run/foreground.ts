import { isIPv6 } from 'node:net'
import type { Crypto } from '@nexus/crypto'
import type { Loaded } from '../config/load.ts'
import { openGateway } from './gateway.ts'
import { createLog } from './log.ts'
import { noteRunning, noteStopped, type RunningState } from './state.ts'
import { runTunnel } from './tunnel.ts'

export interface ForegroundOptions {
  readonly crypto: Crypto
  readonly config: Loaded
  readonly seed: Uint8Array
  readonly signal: AbortSignal
  /** Told once it takes requests. */
  readonly started?: (state: RunningState) => void
}

/** Runs a gateway until the signal, or until its ledger can write no more. @throws {Error} in that case */
export async function runForeground({ crypto, config, seed, signal, started }: ForegroundOptions): Promise<void> {
  const log = createLog(config.log)
  let failed: Error | undefined
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const onFailure = (error: Error): void => {
    failed = error
    end()
  }
  const gateway = await openGateway({ crypto, config, seed, log, onFailure })
  const state = {
    pid: process.pid,
    origin: config.origin,
    listen: urlOf(gateway.address),
    ops: urlOf(gateway.opsAddress),
  }
  noteRunning(config.stateDir, state)
  const endTunnel = runTunnel(config.tunnel, log)
  log.info(state, 'the gateway takes requests')
  started?.(state)
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  await ended
  log.info('the gateway ends: requests under way are answered first')
  endTunnel()
  await gateway.close()
  noteStopped(config.stateDir)
  if (failed !== undefined) {
    log.error({ reason: failed.message }, 'the ledger can write no more in this process; start it anew')
    throw failed
  }
}

function urlOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`
}
