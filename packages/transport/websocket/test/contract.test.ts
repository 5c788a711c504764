import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { QUEUE_BYTES_MAX } from '@nexus/transport'
import { checkTransport } from '@nexus/transport/testing'
import { afterAll } from 'vitest'
import { webSocketClient } from '../src/index.ts'
import { webSocketServer } from '../src/server.ts'

const traits = { reliable: true, queues: true, queueBytesMax: QUEUE_BYTES_MAX }

checkTransport('websocket, server first', traits, () => {
  const a = webSocketServer({ listen: { host: '127.0.0.1', port: 0 } })
  return { a, b: () => webSocketClient({ url: `ws://${a.address}/` }) }
})

const shared: Server = createServer()
await new Promise<void>((resolve) => shared.listen(0, '127.0.0.1', resolve))
afterAll(() => new Promise<void>((resolve) => shared.close(() => resolve())))

checkTransport('websocket on a server that is there', traits, () => {
  const a = webSocketServer({ server: shared, path: '/mesh' })
  return { a, b: webSocketClient({ url: `ws://127.0.0.1:${(shared.address() as AddressInfo).port}/mesh?x=1` }) }
})
