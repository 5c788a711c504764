/** Passes packets on: `forwarder.ts tcp|udp node|bare|bytewise|queued`. */
import { createSocket } from 'node:dgram'
import { connect, createServer, type Socket } from 'node:net'
import { fromHex } from '@nexus/codec'
import { Shaper } from '@nexus/congestion'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { createNode } from '@nexus/node'
import { NO_HOP } from '@nexus/routing'
import { encodeHdlc, HdlcDecoder, hdlcBytesMax, tcpServer } from '@nexus/transport-tcp'
import { udpTransport } from '@nexus/transport-udp'
import { serve, type Values } from '../child.ts'
import { until } from '../until.ts'
import { bytewiseFraming } from './bytewise.ts'

const HOST = '127.0.0.1'
const PACKET_BYTES = 484

interface Forwarder {
  /** Where packets go in. */
  readonly address: string
  /** Waits for the way on: to a port, or to a destination by its route. */
  ready(values: Values): Promise<void> | void
  forwarded(): number
}

const [medium, way] = process.argv.slice(2)
let forwarder: Forwarder
serve({
  open: async () => {
    forwarder = await (way === 'node' ? openNode() : medium === 'tcp' ? openStreams() : openDatagrams())
    return { address: forwarder.address }
  },
  ready: async (values) => {
    await forwarder.ready(values)
    return {}
  },
  stat: () => {
    const { user, system } = process.cpuUsage()
    return { forwarded: forwarder.forwarded(), cpuMicros: user + system }
  },
})

/** A whole node, as `createNode` makes it. */
async function openNode(): Promise<Forwarder> {
  const crypto = await nodeCrypto()
  const transport =
    medium === 'tcp'
      ? tcpServer({ host: HOST, port: 0 })
      : udpTransport({ host: HOST, port: 0, multicast: false, queueBytesMax: 1 << 20 })
  const node = await createNode({ identity: createIdentity(crypto, systemRandom(32)), crypto, transports: [transport] })
  await node.start()
  const { router } = node.core.routes
  return {
    address: transport.address!,
    ready: async ({ destination }) => {
      const nodeId = fromHex(String(destination))
      await until('there is a route', () => (router.nextHop(nodeId) === NO_HOP ? undefined : true))
    },
    forwarded: () => node.core.packets.forwarded,
  }
}

/** Takes HDLC frames apart, looks at each and frames it again; what one chunk brought goes out in one write. */
async function openStreams(): Promise<Forwarder> {
  let forwarded = 0
  let out: Socket
  const server = createServer((socket) => {
    const framing = way === 'bytewise' ? bytewiseFraming(() => forwarded++) : wordFraming(() => forwarded++)
    socket.on('data', (chunk) => out.write(framing(chunk as Buffer)))
  })
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve))
  return {
    address: `${HOST}:${(server.address() as { port: number }).port}`,
    ready: ({ port }) => {
      out = connect(Number(port), HOST)
      out.setNoDelay(true)
      return new Promise((resolve) => out.once('connect', resolve))
    },
    forwarded: () => forwarded,
  }
}

/** The project's framing. */
function wordFraming(seen: () => void): (chunk: Buffer) => Buffer {
  let batch = Buffer.alloc(0)
  let used = 0
  const decoder = new HdlcDecoder({
    frameBytesMax: PACKET_BYTES,
    onFrame: (frame) => {
      seen()
      used = encodeHdlc(frame, batch, used)
    },
  })
  return (chunk) => {
    // A chunk holds frames of at most its own length, one that began before it, and each may double.
    batch = Buffer.allocUnsafe(hdlcBytesMax(2 * chunk.length + PACKET_BYTES))
    used = 0
    decoder.push(chunk)
    return batch.subarray(0, used)
  }
}

async function openDatagrams(): Promise<Forwarder> {
  let forwarded = 0
  let to = 0
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20, sendBufferSize: 1 << 20 })
  const send = (bytes: Uint8Array): void => {
    forwarded++
    socket.send(bytes, to, HOST)
  }
  socket.on('message', way === 'queued' ? queueing(send) : send)
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve))
  return {
    address: `${HOST}:${socket.address().port}`,
    ready: ({ port }) => {
      to = Number(port)
    },
    forwarded: () => forwarded,
  }
}

/** Each datagram waits its turn, by priority and neighbour, before it is sent. */
function queueing(send: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  const neighbours = 8
  const shaper = new Shaper(performance.now(), { nominalBps: 10_000_000_000 }, { dropped: () => {} })
  for (let neighbour = 0; neighbour < neighbours; neighbour++) shaper.neighbourUp(performance.now(), neighbour)
  const frames = Array.from({ length: 1_024 }, () => new Uint8Array(PACKET_BYTES))
  let count = 0
  let sent = 0
  return (bytes) => {
    const nowMs = performance.now()
    count++
    const priority = (count & 3) as 0 | 1 | 2 | 3
    shaper.enqueue(nowMs, count % neighbours, bytes, priority, count % neighbours)
    while (shaper.isFree(nowMs, 0) && shaper.pick(nowMs)) {
      // A link seals into memory that is there: so does this, and the socket may hold what is not yet gone.
      const into = frames[sent++ % frames.length]!
      into.set(shaper.packet)
      send(into)
      shaper.used(nowMs, bytes.length, 0)
      shaper.taken(nowMs)
    }
  }
}
