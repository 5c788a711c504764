import { timingSafeEqual } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { TransportError } from '@nexus/transport'
import type { Air } from './air.ts'
import { type AirControl, AirDecoder, type AirMessage, encodeAirMessage } from './air-message.ts'
import { AirError } from './errors.ts'
import { AIR_BACKLOG_BYTES_MAX, AIR_CONNECTIONS_MAX, AIR_JOIN_MS_MAX, AIR_TOKEN_BYTES } from './limits.ts'
import type { AirPlug } from './port.ts'

export interface AirServerOptions {
  readonly air: Air
  /** Port on the loopback; 0, the default: any that is free. */
  readonly port?: number
  /** 32 hex digits that clients must know; drawn at random unless given. */
  readonly token?: string
}

/** An air that processes of this machine share, on the loopback only. */
export interface AirServer {
  readonly port: number
  readonly token: string
  /** Ends all connections; the air itself stays. */
  close(): Promise<void>
}

/** @throws {TransportError} `transport/bind` where the port cannot be had */
export async function serveAir(options: AirServerOptions): Promise<AirServer> {
  const token = options.token ?? Buffer.from(crypto.getRandomValues(new Uint8Array(AIR_TOKEN_BYTES))).toString('hex')
  if (!/^[0-9a-f]{32}$/.test(token)) throw new TypeError('a token of 32 hex digits')
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    new Client(socket, options.air, token)
  })
  server.maxConnections = AIR_CONNECTIONS_MAX
  const port = await listen(server, options.port ?? 0)
  return {
    port,
    token,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(new TransportError({ code: 'transport/bind', address: `127.0.0.1:${port}`, why: error.message }))
    })
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
}

/** One connection: a radio, or controls. */
class Client {
  readonly #socket: Socket
  readonly #air: Air
  readonly #token: Buffer
  readonly #decoder = new AirDecoder()
  readonly #deadline: NodeJS.Timeout
  #plug: AirPlug | undefined
  #controls = false

  constructor(socket: Socket, air: Air, token: string) {
    this.#socket = socket
    this.#air = air
    this.#token = Buffer.from(token)
    this.#deadline = setTimeout(() => socket.destroy(), AIR_JOIN_MS_MAX)
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(this.#deadline)
      void this.#plug?.unplug()
    })
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
  }

  #onData(chunk: Uint8Array): void {
    try {
      for (const message of this.#decoder.push(chunk)) this.#onMessage(message)
    } catch (error) {
      // What the channel refuses is a RangeError or TypeError, caused by the client's values.
      if (!(error instanceof AirError || error instanceof RangeError || error instanceof TypeError)) throw error
      this.#refuse(error.message)
    }
  }

  #onMessage(message: AirMessage): void {
    if (message.kind === 'join' || message.kind === 'attach-controls') {
      this.#onJoin(message)
    } else if (message.kind === 'send' && this.#plug !== undefined) {
      // A client keeps count of what waits here; a frame without room means that it does not, or that the radio is off.
      this.#plug.send(message.frame)
    } else if (message.kind === 'control' && this.#controls) {
      applyControl(this.#air, message.control)
      this.#write({ kind: 'accepted' })
    } else {
      this.#refuse(`${message.kind} out of turn`)
    }
  }

  #onJoin(message: Extract<AirMessage, { kind: 'join' | 'attach-controls' }>): void {
    const given = Buffer.from(message.token)
    const known = given.length === this.#token.length && timingSafeEqual(given, this.#token)
    if (this.#plug !== undefined || this.#controls || !known) {
      this.#refuse(known ? 'joined already' : 'wrong token')
      return
    }
    clearTimeout(this.#deadline)
    if (message.kind === 'attach-controls') {
      this.#controls = true
      this.#write({ kind: 'accepted' })
      return
    }
    this.#plug = this.#air.plug(message.radio, message.settings, {
      up: (speed) => this.#write({ kind: 'up', speed }),
      down: (reason) => this.#write({ kind: 'down', reason }),
      frame: (frame, signal) => this.#write({ kind: 'heard', ...signal, frame }),
      done: (outcome) => this.#write({ kind: 'done', outcome }),
      problem: () => {},
    })
  }

  #refuse(reason: string): void {
    this.#write({ kind: 'refused', reason })
    this.#socket.destroySoon()
  }

  #write(message: AirMessage): void {
    if (!this.#socket.writable) return
    this.#socket.write(encodeAirMessage(message))
    if (this.#socket.writableLength > AIR_BACKLOG_BYTES_MAX) this.#socket.destroy()
  }
}

function applyControl(air: Air, control: AirControl): void {
  switch (control.kind) {
    case 'position':
      air.setPosition(control.radio, control.position)
      break
    case 'path-loss': {
      const { from, to, lossDb, direction } = control
      air.setPathLoss(from, to, lossDb === 'off' ? Number.POSITIVE_INFINITY : (lossDb ?? undefined), direction)
      break
    }
    case 'on':
      air.setOn(control.radio, control.on)
      break
    case 'loss-ratio':
      air.setLossRatio(control.lossRatio)
  }
}
