import { ByteReader, ByteWriter, fromHex, toHex } from '@nexus/codec'
import { SessionError } from './errors.ts'
import type { Floors } from './floors.ts'
import type { Limits } from './limits.ts'
import { SeenWindow } from './seen-window.ts'
import type { Store } from './store.ts'

/** Taken messages of a sender whose small records are folded into its window in one write. */
const FOLD_RECORDS = 64
const RUN_TIME_BYTES = 8

/** A sender whose ids are remembered. */
export interface Sender {
  readonly nodeId: Uint8Array
  readonly window: SeenWindow
  /** Running time at the last message. */
  lastRunMs: number
  /** Messages, and their bytes, that wait for the application. */
  waitingMessages: number
  waitingBytes: number
  /** Keys of records that the window's next write makes superfluous. */
  readonly taken: string[]
}

/**
 * The windows of all senders. A window is on disk before the first message of its sender is, and is written again for each
 * {@link FOLD_RECORDS} messages taken; the messages' own records cover what it lacks. When the table is full, the window
 * that was silent longest goes, of a sender who is no contact, has nothing waiting and was silent for
 * `limits.senderIdleMs`; its highest id stays behind as a floor. Where no such sender is left, newcomers are refused.
 */
export class Senders {
  readonly #store: Store
  readonly #prefix: string
  readonly #floors: Floors
  readonly #limits: Limits
  readonly #isContact: (nodeId: Uint8Array) => boolean
  /** Least recently heard first. */
  readonly #senders: Map<string, Sender>

  constructor(
    store: Store,
    prefix: string,
    floors: Floors,
    limits: Limits,
    isContact: (nodeId: Uint8Array) => boolean,
    loadedRunMs: number,
  ) {
    this.#store = store
    this.#prefix = prefix
    this.#floors = floors
    this.#limits = limits
    this.#isContact = isContact
    const senders = new Map<string, Sender>()
    for (const [key, record] of store.entries(prefix)) {
      const name = key.slice(prefix.length)
      const lastRunMs = Math.min(loadedRunMs, Number(new ByteReader(record, shortRecord).u64()))
      const window = SeenWindow.decode(record.subarray(RUN_TIME_BYTES))
      senders.set(name, makeSender(fromHex(name), window, lastRunMs))
    }
    const byAge = [...senders].sort(([, a], [, b]) => a.lastRunMs - b.lastRunMs)
    this.#senders = new Map(byAge)
  }

  get size(): number {
    return this.#senders.size
  }

  find(nodeId: Uint8Array): Sender | undefined {
    return this.#senders.get(toHex(nodeId))
  }

  /** The window that a sender not yet in the table would start with. */
  floorOf(nodeId: Uint8Array): bigint {
    return this.#floors.of(nodeId)
  }

  /** Takes a sender into the table, durably; `undefined` where no room can be made. */
  admit(nodeId: Uint8Array, runMs: number): Sender | undefined {
    if (this.#senders.size >= this.#limits.sendersMax && !this.#dropOne(runMs)) return undefined
    return this.restore(nodeId, runMs)
  }

  /** Takes a sender in whose messages are on disk already, whatever the limit. */
  restore(nodeId: Uint8Array, runMs: number): Sender {
    const sender = makeSender(nodeId.slice(), new SeenWindow(this.#floors.of(nodeId)), runMs)
    const name = toHex(nodeId)
    this.#store.put(this.#prefix + name, encodeSender(sender))
    this.#senders.set(name, sender)
    return sender
  }

  heard(sender: Sender, runMs: number): void {
    const name = toHex(sender.nodeId)
    sender.lastRunMs = runMs
    this.#senders.delete(name)
    this.#senders.set(name, sender)
  }

  /** Notes that the record under `key` only serves to know its id again. */
  noteTaken(sender: Sender, key: string): void {
    sender.taken.push(key)
    if (sender.taken.length < FOLD_RECORDS) return
    this.#store.put(this.#prefix + toHex(sender.nodeId), encodeSender(sender))
    this.#deleteTaken(sender)
  }

  #dropOne(runMs: number): boolean {
    for (const [name, sender] of this.#senders) {
      if (runMs - sender.lastRunMs < this.#limits.senderIdleMs) return false
      if (sender.waitingMessages > 0 || this.#isContact(sender.nodeId)) continue
      // The floor is durable before what it stands for goes.
      this.#floors.raise(sender.nodeId, sender.window.highest)
      this.#store.delete(this.#prefix + name)
      this.#deleteTaken(sender)
      this.#senders.delete(name)
      return true
    }
    return false
  }

  #deleteTaken(sender: Sender): void {
    for (const key of sender.taken) this.#store.delete(key)
    sender.taken.length = 0
  }
}

function makeSender(nodeId: Uint8Array, window: SeenWindow, lastRunMs: number): Sender {
  return { nodeId, window, lastRunMs, waitingMessages: 0, waitingBytes: 0, taken: [] }
}

/** `last heard u64 (running time, ms) | window`: no later than the truth, since it is not written for each message. */
function encodeSender({ lastRunMs, window }: Sender): Uint8Array {
  const encoded = window.encode()
  const writer = new ByteWriter(RUN_TIME_BYTES + encoded.length)
  return writer
    .u64(BigInt(Math.floor(lastRunMs)))
    .bytes(encoded)
    .finish()
}

function shortRecord(): SessionError {
  return new SessionError({ code: 'session/length', wantBytes: RUN_TIME_BYTES, gotBytes: 0 })
}
