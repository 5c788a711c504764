/** Snapshot files: written whole or not at all, checked when read, set aside when damaged. */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Crypto } from '@nexus/crypto'
import { LedgerError } from './errors.ts'
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts'

/** Writes a snapshot beside `path`, flushes it and puts it in place: a crash leaves the old file or the new one. */
export function writeSnapshotFile(path: string, snapshot: Snapshot): void {
  const partPath = `${path}.part`
  const bytes = encodeSnapshot(snapshot)
  const file = openSync(partPath, 'w', 0o600)
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(partPath, path)
  flushFolder(dirname(path))
}

export interface ReadSnapshot {
  /** Absent where there was no file, or a damaged one. */
  readonly snapshot?: Snapshot
  /** Where a damaged file was put, and what is wrong with it. */
  readonly setAside?: { readonly asidePath: string; readonly why: string }
}

/** Reads a snapshot file. One that is damaged is renamed to `<path>.damaged-<n>`, never overwritten. */
export function readSnapshotFile(crypto: Crypto, path: string): ReadSnapshot {
  if (!existsSync(path)) return {}
  try {
    return { snapshot: decodeSnapshot((bytes) => crypto.blake3(bytes), new Uint8Array(readFileSync(path))) }
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    let number = 1
    while (existsSync(`${path}.damaged-${number}`)) number++
    const asidePath = `${path}.damaged-${number}`
    renameSync(path, asidePath)
    return { setAside: { asidePath, why: error.message } }
  }
}

/** Makes a rename durable, where the system can flush a folder; Windows cannot. */
function flushFolder(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
