/** Makes packets and hears them again: `traffic.ts tcp|udp node|bare`. */
import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, createServer, type Socket } from 'node:net'
import { encodePathCost, PATH_COST_ORIGIN } from '@nexus/compact-path-cost'
import { nodeCrypto } from '@nexus/crypto/node'
import {
  CONTEXT,
  encodeAnnouncePacket,
  encodePacket,
  nativePacket,
  PACKET_TYPE,
  packetDestination,
  signAnnounce,
} from '@nexus/framing'
import { MESSAGE } from '@nexus/link'
import { encodeHdlc, HdlcDecoder, hdlcBytesMax, tcpClient } from '@nexus/transport-tcp'
import { udpTransport } from '@nexus/transport-udp'
import { serve, type Values } from '../child.ts'
import { until } from '../until.ts'
import { LinkEnd } from './link-end.ts'
import { Window } from './window.ts'

const PACKET_BYTES = 484
const DATA_BYTES = 465
/** Kind, id, counter, type before the packet and tag after it. */
const FRAME_BYTES = PACKET_BYTES + 7 + 1 + 16
/** Of so many frames one is opened and looked at; the others are only counted, so that the forwarder is the limit. */
const OPENED_EVERY = 256
const HOST = '127.0.0.1'

/** Packets on their way at once: a datagram socket holds some 160 of them, the queue of a connection 500. */
const WINDOW = process.argv[2] === 'udp' ? 128 : 400

let window: Window

const [medium, way] = process.argv.slice(2)
serve({
  open: ({ address }) => {
    const at = String(address)
    if (way === 'node') return openLinks(at)
    return medium === 'tcp' ? openStreams(portOf(at)) : openDatagrams(portOf(at))
  },
  measure: ({ seconds }) => window.measure(Number(seconds)),
})

/** Two neighbours of the node: one sends to the other by way of it. */
async function openLinks(address: string): Promise<Values> {
  const crypto = await nodeCrypto()
  const transport = () =>
    medium === 'tcp'
      ? tcpClient({ address })
      : udpTransport({ host: HOST, port: 0, peers: [address], multicast: false, queueBytesMax: 1 << 20 })
  const [sender, sink] = [new LinkEnd(crypto, transport()), new LinkEnd(crypto, transport())]
  await Promise.all([sender.start(), sink.start()])
  await until('both links are up', () => (sender.link && sink.link ? true : undefined))
  const announce = signAnnounce(sink.identity, { lamport: 1n, cost: encodePathCost(PATH_COST_ORIGIN) })
  sink.send(MESSAGE.packet, encodeAnnouncePacket(sink.identity.nodeId, announce))
  const packet = encodePacket(
    nativePacket({
      type: PACKET_TYPE.DATA,
      destination: sink.identity.nodeId,
      context: CONTEXT.STREAM,
      data: randomBytes(DATA_BYTES),
    }),
  )
  if (packet.length !== PACKET_BYTES) throw new Error(`a packet of ${packet.length} bytes`)
  window = new Window(WINDOW, (count) => {
    let taken = 0
    while (taken < count && sender.send(MESSAGE.packet, packet)) taken++
    return taken
  })
  sink.onFrame = (frame) => {
    if (frame.length !== FRAME_BYTES) return true
    window.arrived(1)
    return window.heard % OPENED_EVERY === 0
  }
  sink.onMessage = (_link, type, body) => {
    if (type !== MESSAGE.packet || body.length !== PACKET_BYTES) return
    if (Buffer.compare(body.subarray(2), packet.subarray(2)) !== 0) throw new Error('the packet changed on its way')
  }
  return { destination: Buffer.from(packetDestination(packet)).toString('hex') }
}

/** The same bytes in HDLC frames, without anything around them. */
async function openStreams(port: number): Promise<Values> {
  const packet = randomBytes(PACKET_BYTES)
  const frame = Buffer.alloc(hdlcBytesMax(PACKET_BYTES))
  const framed = frame.subarray(0, encodeHdlc(packet, frame, 0))
  const out: Socket = connect(port, HOST)
  out.setNoDelay(true)
  window = new Window(WINDOW, (count) => {
    out.write(Buffer.concat(Array.from({ length: count }, () => framed)))
    return count
  })
  const sink = createServer((socket) => {
    const decoder = new HdlcDecoder({ frameBytesMax: PACKET_BYTES, onFrame: () => window.arrived(1) })
    socket.on('data', (chunk) => decoder.push(chunk as Buffer))
  })
  await new Promise<void>((resolve) => sink.listen(0, HOST, resolve))
  return { port: (sink.address() as { port: number }).port }
}

async function openDatagrams(port: number): Promise<Values> {
  const packet = randomBytes(PACKET_BYTES)
  const sink = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 })
  const out = createSocket('udp4')
  window = new Window(WINDOW, (count) => {
    for (let sent = 0; sent < count; sent++) out.send(packet, port, HOST)
    return count
  })
  sink.on('message', () => window.arrived(1))
  await new Promise<void>((resolve) => sink.bind(0, HOST, resolve))
  await new Promise<void>((resolve) => out.bind(0, HOST, resolve))
  return { port: sink.address().port }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1))
}
