import { connect, type Socket } from 'node:net'
import type { Api } from '../api/api.ts'
import { ApiError } from '../api/error.ts'
import type { MethodName, MethodParams, MethodResult } from '../api/schemas.ts'
import { ANSWER_BYTES_MAX, type ControlAnswer, encodeFrame, readFrames } from './wire.ts'

/** No node answers at the control socket. */
export class ControlUnreachableError extends Error {
  override readonly name = 'ControlUnreachableError'
  readonly path: string
  constructor(path: string, why: string) {
    super(`no node answers at ${path} (${why})`)
    this.path = path
  }
}

interface Call {
  answer(message: ControlAnswer): void
  lost(): void
}

/** Connects to the control socket of a running node. @throws {ControlUnreachableError} */
export function connectControl(path: string): Promise<ControlClient> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', (error: NodeJS.ErrnoException) => reject(new ControlUnreachableError(path, error.code ?? '')))
    socket.once('connect', () => resolve(new ControlClient(path, socket)))
  })
}

/** A node's {@link Api} over its control socket. */
export class ControlClient implements Api {
  readonly #path: string
  readonly #socket: Socket
  readonly #calls = new Map<number, Call>()
  #nextId = 1

  constructor(path: string, socket: Socket) {
    this.#path = path
    this.#socket = socket
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      for (const call of this.#calls.values()) call.lost()
      this.#calls.clear()
    })
    readFrames(socket, ANSWER_BYTES_MAX, (message) => {
      const answer = message as ControlAnswer
      this.#calls.get(answer.id)?.answer(answer)
    })
  }

  call<M extends MethodName>(method: M, params: MethodParams<M>): Promise<MethodResult<M>> {
    return new Promise((resolve, reject) => {
      const id = this.#ask(method, params, {
        lost: () => reject(this.#unreachable()),
        answer: (message) => {
          this.#calls.delete(id)
          if ('error' in message) reject(new ApiError(message.error as never))
          else if ('result' in message) resolve(message.result as MethodResult<M>)
        },
      })
    })
  }

  async *stream<M extends MethodName>(
    method: M,
    params: MethodParams<M>,
    signal: AbortSignal,
  ): AsyncIterable<MethodResult<M>> {
    const items: MethodResult<M>[] = []
    let ended: { error?: Error } | undefined
    let wake = (): void => {}
    const id = this.#ask(method, params, {
      lost: () => finish({ error: this.#unreachable() }),
      answer: (message) => {
        if ('item' in message) items.push(message.item as MethodResult<M>)
        else if ('error' in message) finish({ error: new ApiError(message.error as never) })
        else finish({})
        wake()
      },
    })
    function finish(end: { error?: Error }): void {
      ended = end
      wake()
    }
    const abort = (): void => finish({})
    signal.addEventListener('abort', abort, { once: true })
    try {
      while (!signal.aborted) {
        const item = items.shift()
        if (item !== undefined) yield item
        else if (ended?.error !== undefined) throw ended.error
        else if (ended !== undefined) return
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      signal.removeEventListener('abort', abort)
      this.#calls.delete(id)
      if (!this.#socket.destroyed) this.#socket.write(encodeFrame({ id, cancel: true }))
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #ask(method: string, params: unknown, call: Call): number {
    const id = this.#nextId++
    if (this.#socket.destroyed) {
      queueMicrotask(() => call.lost())
      return id
    }
    this.#calls.set(id, call)
    this.#socket.write(encodeFrame({ id, method, params }))
    return id
  }

  #unreachable(): ControlUnreachableError {
    return new ControlUnreachableError(this.#path, 'the connection was closed')
  }
}
