/**
 * What a disk may hold after the power went: flushed bytes always, every other change kept, lost, or torn between its
 * sectors. Reads the log that recorder.c writes.
 */

export type DiskOp =
  | { readonly kind: 'write'; readonly name: string; readonly offset: number; readonly data: Uint8Array }
  | { readonly kind: 'truncate'; readonly name: string; readonly size: number }
  | { readonly kind: 'sync' | 'unlink' | 'create'; readonly name: string }

const SECTOR_BYTES = 512
/** Flushing the folder keeps which names are in it, not what they hold. */
const FOLDER = '.'
const KINDS = { 1: 'write', 2: 'truncate', 3: 'sync', 4: 'unlink', 5: 'create' } as const

/** The operations of a log, in order. A record cut short by the end of the process is left out. */
export function readLog(log: Uint8Array): DiskOp[] {
  const view = new DataView(log.buffer, log.byteOffset, log.length)
  const ops: DiskOp[] = []
  let at = 0
  while (at + 3 <= log.length) {
    const kind = KINDS[log[at] as keyof typeof KINDS]
    const fields = at + 3 + view.getUint16(at + 1, true)
    if (fields + 12 > log.length) break
    const name = new TextDecoder().decode(log.subarray(at + 3, fields))
    const offset = Number(view.getBigUint64(fields, true))
    const end = fields + 12 + (kind === 'write' ? view.getUint32(fields + 8, true) : 0)
    if (end > log.length) break
    if (kind === 'write') ops.push({ kind, name, offset, data: log.subarray(fields + 12, end) })
    else if (kind === 'truncate') ops.push({ kind, name, size: offset })
    else ops.push({ kind, name })
    at = end
  }
  return ops
}

interface File {
  /** What a cut cannot take away; undefined while not even the name is safe. */
  durable: Uint8Array | undefined
  pending: DiskOp[]
}

/** The files of a folder as a cut would find them. */
export class Disk {
  readonly #files = new Map<string, File>()

  apply(op: DiskOp): void {
    if (op.name === FOLDER) {
      if (op.kind === 'sync') for (const file of this.#files.values()) keepNames(file)
      return
    }
    const file = this.#files.get(op.name) ?? { durable: undefined, pending: [] }
    this.#files.set(op.name, file)
    if (op.kind !== 'sync') {
      file.pending.push(op)
      return
    }
    file.durable = file.pending.reduce(changed, file.durable ?? new Uint8Array(0))
    file.pending = []
  }

  /**
   * One state that the power may leave: `chance` gives numbers of 0…1. A file without any flushed byte may be missing.
   */
  cut(chance: () => number): Map<string, Uint8Array> {
    const left = new Map<string, Uint8Array>()
    for (const [name, { durable, pending }] of this.#files) {
      let bytes = durable
      for (const op of pending) {
        const fate = chance()
        if (fate < 1 / 3) continue
        bytes = (fate < 2 / 3 ? [op] : torn(op, chance)).reduce(changed, bytes)
      }
      if (bytes !== undefined) left.set(name, bytes)
    }
    return left
  }
}

function keepNames(file: File): void {
  const removed = file.pending.findLastIndex(({ kind }) => kind === 'unlink')
  if (removed >= 0) {
    file.durable = undefined
    file.pending.splice(0, removed + 1)
  }
  if (file.pending[0]?.kind === 'create') file.durable = changed(file.durable, file.pending.shift()!)
}

function changed(bytes: Uint8Array | undefined, op: DiskOp): Uint8Array | undefined {
  switch (op.kind) {
    case 'write': {
      const end = op.offset + op.data.length
      const grown = new Uint8Array(Math.max(bytes?.length ?? 0, end))
      if (bytes !== undefined) grown.set(bytes)
      grown.set(op.data, op.offset)
      return grown
    }
    case 'truncate': {
      const cut = new Uint8Array(op.size)
      cut.set((bytes ?? cut).subarray(0, op.size))
      return cut
    }
    case 'create':
      return bytes ?? new Uint8Array(0)
    case 'unlink':
      return undefined
    case 'sync':
      return bytes
  }
}

/** What arrived of a write when some sectors did not: these are the disk's own, and keep what they held. */
function torn(op: DiskOp, chance: () => number): DiskOp[] {
  if (op.kind !== 'write') return [op]
  const kept: DiskOp[] = []
  let from = 0
  while (from < op.data.length) {
    const to = Math.min(op.data.length, from + SECTOR_BYTES - ((op.offset + from) % SECTOR_BYTES))
    if (chance() < 1 / 2) kept.push({ ...op, offset: op.offset + from, data: op.data.subarray(from, to) })
    from = to
  }
  return kept
}
