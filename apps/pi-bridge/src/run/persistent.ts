import { type Transport, TransportError, type TransportHost } from '@nexus/transport'

/** How often a port that cannot be had is tried again: an address that comes back is to be used within two seconds. */
const BIND_RETRY_MS = 1_000

/**
 * A transport that is made anew until it starts: a node outlives a port that is taken, or an address that its machine
 * does not have yet. Each new reason is reported once.
 */
export function persistent(make: () => Transport): Transport {
  let transport = make()
  let retry: NodeJS.Timeout | undefined
  let starting: Promise<void> = Promise.resolve()
  let stopped = false
  let lastWhy = ''

  async function attempt(host: TransportHost): Promise<void> {
    try {
      await transport.start(host)
    } catch (error) {
      if (!(error instanceof TransportError)) throw error
      if (error.message !== lastWhy) host.problem?.(error)
      lastWhy = error.message
      await transport.stop()
      if (stopped) return
      transport = make()
      retry = setTimeout(() => {
        starting = attempt(host)
      }, BIND_RETRY_MS)
    }
  }

  return {
    get name() {
      return transport.name
    },
    get listening() {
      return transport.listening
    },
    start(host) {
      starting = attempt(host)
      return starting
    },
    async stop() {
      stopped = true
      clearTimeout(retry)
      await starting
      await transport.stop()
    },
    kick() {
      transport.kick?.()
    },
  }
}
