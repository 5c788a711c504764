import type { MemoryMedium } from './medium.ts'

/** Drives a medium by the machine's clock until the returned function is called. Does not keep the process alive. */
export function driveInRealTime(medium: MemoryMedium): () => void {
  const originMs = performance.now() - medium.nowMs
  const nowMs = () => performance.now() - originMs
  let timer: NodeJS.Timeout | undefined
  const run = () => {
    timer = undefined
    medium.advance(nowMs())
    wake(medium.nextWakeMs())
  }
  const wake = (atMs: number) => {
    clearTimeout(timer)
    if (atMs === Number.POSITIVE_INFINITY) return
    timer = setTimeout(run, Math.max(0, atMs - nowMs()))
    timer.unref()
  }
  const unfollow = medium.follow({ nowMs, wake })
  return () => {
    clearTimeout(timer)
    unfollow()
  }
}
