import { existsSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { SegmentReport } from '@nexus/node/api'
import { CommandFailure } from '../cli/failure.ts'

const EVERY_MS = 1_000
/** Programs that may watch at once; further ones are hung up on. */
const WATCHERS_MAX = 16

/** Serves reports on a local socket: one at once, then one a second while the other end stays. */
export async function serveReports(path: string, report: () => SegmentReport): Promise<{ close(): Promise<void> }> {
  if (process.platform !== 'win32' && existsSync(path)) rmSync(path)
  const watchers = new Set<Socket>()
  const server = createServer((socket) => {
    watchers.add(socket)
    const tell = (): boolean => socket.write(`${JSON.stringify(report())}\n`)
    const timer = setInterval(tell, EVERY_MS)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearInterval(timer)
      watchers.delete(socket)
    })
    tell()
  })
  server.maxConnections = WATCHERS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    // Made with the umask of an owner-only file: there is no moment at which others could connect.
    const umask = process.umask(0o177)
    server.listen(path, resolve)
    process.umask(umask)
  })
  return {
    close() {
      // Those who watch would keep it open.
      for (const watcher of watchers) watcher.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Reports as they come, until `signal` aborts or the node ends. @throws {CommandFailure} where none runs */
export async function* reports(path: string, signal: AbortSignal): AsyncGenerator<SegmentReport> {
  const socket = connect(path)
  const end = (): void => void socket.destroy()
  signal.addEventListener('abort', end, { once: true })
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    for await (const line of createInterface({ input: socket })) yield JSON.parse(line)
  } catch (error) {
    if (signal.aborted) return
    throw new CommandFailure(
      {
        exit: 'noNode',
        code: 'no-node',
        message: `no segment node answers on ${path}`,
        next: 'start one with nexus-segment start',
      },
      { cause: error },
    )
  } finally {
    signal.removeEventListener('abort', end)
    socket.destroy()
  }
}
