/** Everything hostile that a stranger or an authenticated neighbour can send, as fast as told. */
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fromHex } from '@nexus/codec'
import { encodePathCost, PATH_COST_ORIGIN } from '@nexus/compact-path-cost'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { encodeAnnouncePacket, signAnnounce } from '@nexus/framing'
import { encodeGossipFrame } from '@nexus/gossip'
import { createIdentity } from '@nexus/identity'
import { type Link, LinkLayer, MESSAGE } from '@nexus/link'
import { encodeRouteFrame } from '@nexus/routing'
import { WebSocket } from 'ws'
import { serve, settingsOf } from './processes.ts'

interface Target {
  readonly udp: string
  readonly tcp: string
  readonly ws: string
  readonly nodeId: string
}

const target = settingsOf<Target>()
const crypto = await nodeCrypto()
const victimId = fromHex(target.nodeId)
const [host, port] = splitAddress(target.udp)
const BATCH = 64
const RECORDED_MAX = 512

/** Real frames of links with the victim, to be mutated. */
const recorded: Uint8Array[] = []
const ignore = (): void => {}

/** An authenticated neighbour over UDP: the link core of production with a socket of its own. */
class Peer {
  readonly socket: UdpSocket = createSocket('udp4')
  readonly identity = createIdentity(crypto, systemRandom(32))
  link: Link | undefined
  readonly layer: LinkLayer
  readonly #timer: NodeJS.Timeout

  constructor() {
    this.layer = new LinkLayer(
      { crypto, identity: this.identity, random: systemRandom },
      {
        transmit: (_interface, frame) => {
          // The link seals into one buffer, and the socket reads it later.
          const own = frame.slice()
          if (recorded.length < RECORDED_MAX) recorded.push(own)
          this.socket.send(own, port, host, ignore)
          return true
        },
        linkUp: (link) => {
          this.link = link
        },
        linkDown: () => {
          this.link = undefined
        },
        message: ignore,
        refused: ignore,
      },
    )
    this.socket.on('error', ignore)
    this.socket.on('message', (frame) => {
      if (recorded.length < RECORDED_MAX) recorded.push(new Uint8Array(frame))
      this.layer.receive(performance.now(), 'udp', frame, target.udp)
    })
    const facts = { mtuBytes: 1_200, bitrateBps: 100_000_000, dutyCycle: 1 }
    this.layer.interfaceUp(performance.now(), {
      ...facts,
      id: 'udp',
      kind: 'udp',
      duplex: 'full',
      reach: 'shared',
      addressed: true,
    })
    this.layer.dial(performance.now(), 'udp', { nodeId: victimId, address: target.udp })
    this.#timer = setInterval(() => this.layer.tick(performance.now()), 20)
  }

  send(type: number, body: Uint8Array): void {
    if (this.link !== undefined) this.layer.send(performance.now(), this.link, type, body)
  }

  close(): void {
    clearInterval(this.#timer)
    this.socket.close()
  }
}

/** First handshake messages that are right in every way, each of a key of its own. */
function makeHs1s(count: number): Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let at = 0; at < count; at++) {
    const layer = new LinkLayer(
      { crypto, identity: createIdentity(crypto, systemRandom(32)), random: systemRandom },
      {
        transmit: (_interface, frame) => {
          if (frame[0] === 2) frames.push(frame.slice())
          return true
        },
        linkUp: ignore,
        linkDown: ignore,
        message: ignore,
        refused: ignore,
      },
    )
    layer.interfaceUp(0, {
      id: 'udp',
      kind: 'udp',
      mtuBytes: 1_200,
      bitrateBps: 100_000_000,
      duplex: 'full',
      dutyCycle: 1,
      reach: 'shared',
      addressed: true,
    })
    layer.dial(0, 'udp', { nodeId: victimId, address: target.udp })
  }
  return frames
}

const random = (below: number): number => Math.floor(Math.random() * below)

function mutated(): Uint8Array {
  const frame = recorded.length === 0 ? systemRandom(1 + random(600)) : recorded[random(recorded.length)]!.slice()
  const flips = 1 + random(4)
  for (let at = 0; at < flips; at++) frame[random(frame.length)]! ^= 1 << random(8)
  return Math.random() < 0.3 ? frame.subarray(0, 1 + random(frame.length)) : frame
}

let udpFlood: UdpSocket[] = []
let hs1s: Uint8Array[] = []
const peers: Peer[] = []
const announces: Uint8Array[] = []

async function prepare(): Promise<number> {
  for (let last = 2; last < 66; last++) {
    const socket = createSocket('udp4')
    socket.on('error', ignore)
    socket.bind(0, `127.0.0.${last}`)
    await once(socket, 'listening')
    udpFlood.push(socket)
  }
  hs1s = makeHs1s(256)
  for (let count = 0; count < 2; count++) peers.push(new Peer())
  for (let tries = 0; tries < 200 && peers.some(({ link }) => link === undefined); tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const cost = encodePathCost(PATH_COST_ORIGIN)
  for (let count = 0; count < 2_000; count++) {
    const identity = createIdentity(crypto, systemRandom(32))
    announces.push(encodeAnnouncePacket(identity.nodeId, signAnnounce(identity, { lamport: 1n, cost, tlvs: [] })))
  }
  return peers.filter(({ link }) => link !== undefined).length
}

const huge = encodeGossipFrame({
  kind: 'summary',
  tiers: [{ tier: 2, count: 0xffff_ffff, sum: 1n }],
})
const fullFilter = encodeGossipFrame({
  kind: 'filter',
  tier: 2,
  salt: 7,
  prefixBits: 0,
  prefix: 0,
  bits: new Uint8Array(448),
})

/** One hostile packet of each kind in turn. */
const kinds: readonly ((at: number) => void)[] = [
  () => udpFlood[random(udpFlood.length)]!.send(systemRandom(1 + random(1_200)), port, host, ignore),
  () => udpFlood[random(udpFlood.length)]!.send(mutated(), port, host, ignore),
  (at) => udpFlood[at % udpFlood.length]!.send(hs1s[at % hs1s.length]!, port, host, ignore),
  () => peers[0]!.send(MESSAGE.gossip, Math.random() < 0.5 ? huge : fullFilter),
  () => {
    const updates = Array.from({ length: 10 }, () => ({
      destination: systemRandom(16),
      lamport: 0xffff_ffff_ffff_fff0n,
      path: { cost: random(640), latencyMs: random(1_000), bandwidth: 200, hops: 1 + random(100) },
    }))
    peers[0]!.send(MESSAGE.route, encodeRouteFrame({ kind: 'update', updates }))
  },
  () => {
    const request = { destination: systemRandom(16), wanted: 0xffff_ffff_ffff_ffffn }
    peers[0]!.send(MESSAGE.route, encodeRouteFrame({ kind: 'request', request }))
  },
  () => peers[1]!.send(MESSAGE.packet, announces[random(announces.length)]!),
  () => peers[1]!.send(random(8), systemRandom(1 + random(400))),
]

async function flood(packets: number): Promise<number> {
  const streams = await openStreams()
  let sent = 0
  while (sent < packets) {
    for (let at = 0; at < BATCH && sent < packets; at++, sent++) {
      try {
        kinds[sent % kinds.length]!(sent)
      } catch (error) {
        // Types that belong to the link itself are not for sending.
        if (!(error instanceof TypeError)) throw error
      }
    }
    for (const write of streams.slice((sent / BATCH) % streams.length).slice(0, 4)) write()
    // About what two cores can carry together with the victim: a flood that only fills the kernel's buffer tests nothing.
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return sent
}

let sockets: (Socket | WebSocket)[] = []

/** Streams that say little, too much, or nonsense; a refused one is opened again by the next flood. */
async function openStreams(): Promise<(() => void)[]> {
  for (const socket of sockets) socket instanceof WebSocket ? socket.terminate() : socket.destroy()
  sockets = []
  const writes: (() => void)[] = []
  const [tcpHost, tcpPort] = splitAddress(target.tcp)
  for (let count = 0; count < 16; count++) {
    const socket = connect(tcpPort, tcpHost)
    socket.on('error', ignore)
    socket.resume()
    sockets.push(socket)
    // A quarter begins frames and never ends them, byte by byte; the rest sends frames without an end, or noise.
    const bytes = [Uint8Array.of(0x7e, 2), new Uint8Array(8_192).fill(0x55), systemRandom(1_024)][count % 3]!
    writes.push(() => socket.writable && socket.writableLength < 65_536 && socket.write(bytes))
  }
  for (let count = 0; count < 8; count++) {
    const socket = new WebSocket(`ws://${target.ws}`)
    socket.on('error', ignore)
    sockets.push(socket)
    writes.push(() => socket.readyState === WebSocket.OPEN && socket.send(systemRandom(count % 2 === 0 ? 600 : 65_536)))
  }
  await new Promise((resolve) => setTimeout(resolve, 200))
  return writes
}

function splitAddress(address: string): [string, number] {
  const colon = address.lastIndexOf(':')
  return [address.slice(0, colon), Number(address.slice(colon + 1))]
}

serve({
  prepare,
  flood,
  linked: () => peers.filter(({ link }) => link !== undefined).length,
  close: () => {
    for (const peer of peers) peer.close()
    for (const socket of udpFlood) socket.close()
    for (const socket of sockets) socket instanceof WebSocket ? socket.terminate() : socket.destroy()
    udpFlood = []
  },
})
