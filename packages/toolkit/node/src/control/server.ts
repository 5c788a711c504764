import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Api, parseCall } from '../api/api.ts'
import { ApiError } from '../api/error.ts'
import { type ApiErrorDetail, methods } from '../api/schemas.ts'
import { type ControlAnswer, type ControlRequest, encodeFrame, REQUEST_BYTES_MAX, readFrames } from './wire.ts'

/** Tools connected at once. */
const CLIENTS_MAX = 64
/** Calls of one client that are under way. */
const CALLS_MAX = 32
/** A client that does not read what it asked for is cut off at this many waiting bytes. */
const UNREAD_BYTES_MAX = 1 << 26

/** Serves an {@link Api} on a socket file that only the node's user may open, or on a named pipe. */
export class ControlServer {
  readonly path: string
  readonly #api: Api
  readonly #server: Server
  readonly #clients = new Set<Socket>()

  constructor(path: string, api: Api) {
    this.path = path
    this.#api = api
    this.#server = createServer((socket) => this.#serve(socket))
  }

  /**
   * Listens. A socket file that nobody answers on is left over from a crash and replaced.
   * @throws where one is alive, and where another kind of file is
   */
  async start(): Promise<void> {
    const found = this.path.startsWith('\\\\') ? undefined : lstatSync(this.path, { throwIfNoEntry: false })
    if (found !== undefined) {
      if (!found.isSocket()) throw new Error(`${this.path} is no socket, and is left alone`)
      if (await answers(this.path)) throw new Error(`a node is already running: ${this.path} answers`)
      unlinkSync(this.path)
    }
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      // Made with the umask of an owner-only file: there is no moment at which others could connect.
      const umask = process.umask(0o177)
      this.#server.listen(this.path, () => resolve())
      process.umask(umask)
    })
    if (!this.path.startsWith('\\\\')) chmodSync(this.path, 0o600)
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.destroy()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  #serve(socket: Socket): void {
    if (this.#clients.size >= CLIENTS_MAX) return void socket.destroy()
    this.#clients.add(socket)
    const calls = new Map<number, AbortController>()
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#clients.delete(socket)
      for (const call of calls.values()) call.abort()
    })
    const answer = (message: ControlAnswer): boolean => {
      if (socket.destroyed) return false
      socket.write(encodeFrame(message))
      if (socket.writableLength > UNREAD_BYTES_MAX) socket.destroy()
      return !socket.destroyed
    }
    readFrames(socket, REQUEST_BYTES_MAX, (message) => {
      const request = message as Partial<ControlRequest>
      const { id } = request
      if (typeof id !== 'number' || !Number.isSafeInteger(id)) return void socket.destroy()
      if (request.cancel === true) return calls.get(id)?.abort()
      if (calls.size >= CALLS_MAX || calls.has(id)) {
        return void answer({
          id,
          error: { code: 'limit', message: `at most ${CALLS_MAX} calls at once, ids distinct` },
        })
      }
      const call = new AbortController()
      calls.set(id, call)
      void this.#carryOut(id, request, call.signal, answer).finally(() => calls.delete(id))
    })
  }

  async #carryOut(
    id: number,
    request: Partial<ControlRequest>,
    signal: AbortSignal,
    answer: (message: ControlAnswer) => boolean,
  ): Promise<void> {
    try {
      const { method, params } = parseCall(request.method, request.params)
      if (!methods[method].stream) {
        answer({ id, result: await this.#api.call(method, params) })
        return
      }
      for await (const item of this.#api.stream(method, params, signal)) if (!answer({ id, item })) return
      answer({ id, end: true })
    } catch (error) {
      answer({ id, error: apiErrorOf(error) })
    }
  }
}

/** What a caller is told of any error: an unexpected one is named, its stack stays here. */
export function apiErrorOf(error: unknown): ApiErrorDetail {
  if (error instanceof ApiError) return error.detail
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) }
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
