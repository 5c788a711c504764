import { chmodSync, existsSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { createInterface } from 'node:readline'
import { CommandFailure } from '../cli/failure.ts'
import type { SegmentReport } from './status.ts'

const EVERY_MS = 1_000
/** Programs that may watch at once; further ones are hung up on. */
const WATCHERS_MAX = 16

/** Serves reports on a local socket: one at once, then one a second while the other end stays. */
export async function serveReports(path: string, report: () => SegmentReport): Promise<Server> {
  if (process.platform !== 'win32' && existsSync(path)) rmSync(path)
  const server = createServer((socket) => {
    const tell = (): boolean => socket.write(`${JSON.stringify(report())}\n`)
    const timer = setInterval(tell, EVERY_MS)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clearInterval(timer))
    tell()
  })
  server.maxConnections = WATCHERS_MAX
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  if (process.platform !== 'win32') chmodSync(path, 0o600)
  return server
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
