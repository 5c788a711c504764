import type { TransportError } from './errors.ts'
import type { Interface, TransportHost } from './interface.ts'

/** A host that keeps what it is told. */
export class RecordingHost implements TransportHost {
  readonly events: string[] = []
  readonly frames: { readonly bytes: Uint8Array; readonly from: string | undefined; readonly iface: Interface }[] = []
  readonly problems: TransportError[] = []
  readonly open: Interface[] = []
  drains = 0
  reachChanges = 0
  lostFrames = 0
  /** Called after each event; set by who waits. */
  onEvent: () => void = () => {}

  up(iface: Interface): void {
    this.open.push(iface)
    this.#note(`up ${iface.facts.id}`)
  }

  down(iface: Interface, reason: string): void {
    const at = this.open.indexOf(iface)
    if (at < 0) throw new Error(`down without up: ${iface.facts.id}`)
    this.open.splice(at, 1)
    this.#note(`down ${iface.facts.id}: ${reason}`)
  }

  frame(iface: Interface, frame: Uint8Array, from?: string): void {
    this.frames.push({ bytes: frame.slice(), from, iface })
    this.onEvent()
  }

  drain(): void {
    this.drains++
    this.onEvent()
  }

  lost(): void {
    this.lostFrames++
    this.onEvent()
  }

  reachChanged(): void {
    this.reachChanges++
    this.onEvent()
  }

  problem(error: TransportError): void {
    this.problems.push(error)
    this.onEvent()
  }

  #note(event: string): void {
    this.events.push(event)
    this.onEvent()
  }
}

/** Resolves when `done` holds, looked at after each event of `hosts`; fails after `limitMs`. */
export async function until(
  hosts: readonly RecordingHost[],
  what: string,
  done: () => boolean,
  limitMs = 5_000,
): Promise<void> {
  if (done()) return
  await new Promise<void>((resolve, reject) => {
    const finish = (act: () => void) => {
      clearTimeout(limit)
      clearInterval(poll)
      for (const host of hosts) host.onEvent = () => {}
      act()
    }
    const look = () => {
      if (done()) finish(resolve)
    }
    const limit = setTimeout(() => finish(() => reject(new Error(`waited ${limitMs} ms for: ${what}`))), limitMs)
    const poll = setInterval(look, 20)
    for (const host of hosts) host.onEvent = look
  })
}
