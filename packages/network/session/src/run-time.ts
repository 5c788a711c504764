import { ByteReader, ByteWriter } from '@nexus/codec'
import type { Store } from './store.ts'

const CHECKPOINT_MS = 60_000

/**
 * How long this messenger has run in all, across restarts: clocks start anew at a boot, so what expires is measured in
 * running time. At most {@link CHECKPOINT_MS} of it is lost by a crash, and time while nothing runs does not count.
 */
export class RunTime {
  readonly #store: Store
  readonly #key: string
  /** Running time that was stored by earlier runs. */
  readonly storedMs: number
  #startMs: number | undefined
  #checkpointMs: number

  constructor(store: Store, key: string) {
    this.#store = store
    this.#key = key
    const stored = store.get(key)
    this.storedMs = stored === undefined ? 0 : Number(new ByteReader(stored).u64())
    this.#checkpointMs = this.storedMs
  }

  /** Running time at clock reading `nowMs`; the first call sets the start. */
  at(nowMs: number): number {
    this.#startMs ??= nowMs
    return this.storedMs + Math.max(0, nowMs - this.#startMs)
  }

  /** The clock reading at which the running time will be `runMs`. */
  clockAt(runMs: number): number {
    return (this.#startMs ?? 0) + runMs - this.storedMs
  }

  /** Stores the running time where it moved on by a minute. */
  checkpoint(nowMs: number): void {
    const runMs = this.at(nowMs)
    if (runMs - this.#checkpointMs < CHECKPOINT_MS) return
    this.#store.put(this.#key, new ByteWriter(8).u64(BigInt(Math.floor(runMs))).finish())
    this.#checkpointMs = runMs
  }

  /** Clock reading of the next checkpoint. */
  nextCheckpointMs(): number {
    return this.clockAt(this.#checkpointMs + CHECKPOINT_MS)
  }
}
