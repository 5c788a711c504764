import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 5

/** Waits until `get` gives something. @throws {Error} after `limitMs` */
export async function until<T>(
  what: string,
  get: () => T | undefined | Promise<T | undefined>,
  limitMs = 20_000,
): Promise<T> {
  const endMs = performance.now() + limitMs
  for (;;) {
    const value = await get()
    if (value !== undefined) return value
    if (performance.now() > endMs) throw new Error(`not within ${limitMs} ms: ${what}`)
    await sleep(LOOK_MS)
  }
}
