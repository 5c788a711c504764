/** Runs a program with recorder.c in front of the system's file calls. */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DiskOp, readLog } from './disk.ts'

/** Whether this machine can record: Linux, with a C compiler. */
export function canRecord(): boolean {
  if (process.platform !== 'linux') return false
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, 'cc')))
}

export interface Recording {
  /** Absolute path of the folder whose files are watched. */
  readonly folder: string
  /** Arguments of Node.js: the program to run and its own. It ends by itself, well or badly. */
  readonly args: readonly string[]
}

/** Runs a Node.js program and gives what it did to the files of the folder, in order. */
export async function record({ folder, args }: Recording): Promise<DiskOp[]> {
  const own = mkdtempSync(join(tmpdir(), 'nexus-power-cut-'))
  try {
    const library = join(own, 'recorder.so')
    const source = fileURLToPath(new URL('recorder.c', import.meta.url))
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-lpthread'])
    const log = join(own, 'log')
    const env = { ...process.env, LD_PRELOAD: library, NEXUS_RECORD_FOLDER: folder, NEXUS_RECORD_LOG: log }
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    await new Promise((resolve) => child.once('close', resolve))
    return readLog(readFileSync(log))
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}
