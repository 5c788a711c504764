import { networkInterfaces } from 'node:os'
import { NETWORK_WATCH_MS } from './limits.ts'

/** A network interface of the machine as it stands now. */
export interface MachineInterface {
  readonly name: string
  /** Number of the interface for IPv6 link-local addresses; 0 where it has none. */
  readonly scopeId: number
  readonly internal: boolean
  /** All its addresses, IPv6 link-local ones without zone. */
  readonly addresses: readonly string[]
}

/** The machine's interfaces that are up and have an address. */
export function machineInterfaces(): MachineInterface[] {
  return Object.entries(networkInterfaces()).map(([name, entries = []]) => ({
    name,
    scopeId: entries.reduce((scope, entry) => Math.max(scope, entry.family === 'IPv6' ? entry.scopeid : 0), 0),
    internal: entries.every((entry) => entry.internal),
    addresses: entries.map((entry) => entry.address).sort(),
  }))
}

/** Runs until {@link NetworkWatch.stop}; does not keep the process alive. */
export interface NetworkWatch {
  stop(): void
}

/**
 * Calls `onChange` when an interface or address of the machine came or went, and after the machine slept.
 *
 * @param intervalMs how often to look; default {@link NETWORK_WATCH_MS}
 */
export function watchNetwork(
  onChange: (interfaces: readonly MachineInterface[]) => void,
  intervalMs: number = NETWORK_WATCH_MS,
): NetworkWatch {
  let seen = JSON.stringify(machineInterfaces())
  let lastMs = Date.now()
  const timer = setInterval(() => {
    const interfaces = machineInterfaces()
    const now = JSON.stringify(interfaces)
    const nowMs = Date.now()
    // The wall clock, for timers and the monotonic clock stand still while the machine sleeps.
    const slept = nowMs - lastMs > intervalMs + 10_000
    lastMs = nowMs
    if (now === seen && !slept) return
    seen = now
    onChange(interfaces)
  }, intervalMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
