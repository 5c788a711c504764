/** The timers of the process that were set since and neither fired nor were cleared, unreferenced ones included. */
export interface TimerLedger {
  readonly live: number
  /** Puts the platform's own functions back. */
  close(): void
}

/** Starts to count. Node lists no unreferenced timers, and a leak of those is a leak all the same. */
export function openTimerLedger(): TimerLedger {
  const { setTimeout, clearTimeout, setInterval, clearInterval } = globalThis
  const live = new Set<unknown>()
  const clear = (timer: unknown) => {
    live.delete(timer)
    clearTimeout(timer as Parameters<typeof clearTimeout>[0])
  }
  const counting = {
    setTimeout(act: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = setTimeout(() => {
        live.delete(timer)
        act(...args)
      }, ms)
      live.add(timer)
      return timer
    },
    setInterval(act: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) {
      const timer = setInterval(act, ms, ...args)
      live.add(timer)
      return timer
    },
    clearTimeout: clear,
    clearInterval: clear,
  }
  Object.assign(globalThis, counting)
  return {
    get live() {
      return live.size
    },
    close() {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval })
    },
  }
}
