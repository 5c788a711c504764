import type { Ports } from './ports.ts'

/** Something that will happen unless it is cancelled. */
export interface Appointment {
  cancel(): void
}

interface Entry extends Appointment {
  dueMs: number
  place: number
  readonly act: () => void
}

/** What a node has to do later, in the order of time: a heap whose entries know their place, so that none stays behind. */
export class Agenda {
  readonly #ports: Pick<Ports, 'nowMs' | 'wake'>
  readonly #heap: Entry[] = []
  #wakeMs = Number.POSITIVE_INFINITY

  constructor(ports: Pick<Ports, 'nowMs' | 'wake'>) {
    this.#ports = ports
  }

  get size(): number {
    return this.#heap.length
  }

  /** When the next entry is due; Infinity without any. */
  get nextMs(): number {
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY
  }

  after(ms: number, act: () => void): Appointment {
    const entry: Entry = {
      dueMs: this.#ports.nowMs() + ms,
      place: this.#heap.length,
      act,
      cancel: () => this.#remove(entry),
    }
    this.#heap.push(entry)
    this.#rise(entry)
    if (entry.dueMs < this.#wakeMs) this.#wake()
    return entry
  }

  /** Does what is due. */
  tick(): void {
    const nowMs = this.#ports.nowMs()
    this.#wakeMs = Number.POSITIVE_INFINITY
    for (let first = this.#heap[0]; first !== undefined && first.dueMs <= nowMs; first = this.#heap[0]) {
      this.#remove(first)
      first.act()
    }
    this.#wake()
  }

  clear(): void {
    for (const entry of this.#heap) entry.place = -1
    this.#heap.length = 0
  }

  #wake(): void {
    if (this.nextMs === this.#wakeMs || this.#heap.length === 0) return
    this.#wakeMs = this.nextMs
    this.#ports.wake(this.#wakeMs)
  }

  #remove(entry: Entry): void {
    const { place } = entry
    if (place < 0) return
    entry.place = -1
    const last = this.#heap.pop() as Entry
    if (last === entry) return
    last.place = place
    this.#heap[place] = last
    this.#rise(last)
    this.#sink(last)
  }

  #rise(entry: Entry): void {
    while (entry.place > 0) {
      const parent = this.#heap[(entry.place - 1) >> 1] as Entry
      if (parent.dueMs <= entry.dueMs) return
      this.#swap(parent, entry)
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[2 * entry.place + 1]
      const right = this.#heap[2 * entry.place + 2]
      const child = right !== undefined && right.dueMs < left!.dueMs ? right : left
      if (child === undefined || child.dueMs >= entry.dueMs) return
      this.#swap(entry, child)
    }
  }

  #swap(a: Entry, b: Entry): void {
    const { place } = a
    a.place = b.place
    b.place = place
    this.#heap[a.place] = a
    this.#heap[b.place] = b
  }
}
