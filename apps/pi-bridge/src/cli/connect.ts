import { type ControlClient, connectControl } from '@nexus/node/control'
import { loadConfig } from '../config/load.ts'
import type { GlobalFlags } from './frame.ts'

/** The control socket that the flags, the environment or the configuration name. @throws {CommandFailure} */
export function socketOf({ socket, config }: GlobalFlags): string {
  return socket ?? loadConfig({ file: config, env: process.env }).config.socket
}

/** Does `work` with a connection to the running node. @throws {CommandFailure} where none answers, and what `work` throws */
export async function withNode<T>(global: GlobalFlags, work: (node: ControlClient) => Promise<T>): Promise<T> {
  const node = await connectControl(socketOf(global))
  try {
    return await work(node)
  } finally {
    node.close()
  }
}

/** Resolves after `ms`, or at once when `signal` aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end, { once: true })
  })
}
