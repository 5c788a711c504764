// What a stream costs, both ends in one process: node --conditions=nexus-source packages/network/session/bench/stream.ts
import { cpus } from 'node:os'
import { toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { decodePacket } from '@nexus/framing'
import { createIdentity, ReservedCounter } from '@nexus/identity'
import { MemoryStore, Messenger, type Stream } from '@nexus/session'

const MEGABYTES = 32
const ROUND_TRIP_MS = 20

const crypto = await nodeCrypto()
const nodes = new Map<string, { messenger: Messenger; publicKey: Uint8Array }>()
let wire: { to: Messenger; packet: Uint8Array }[] = []
let nowMs = 0
let received = 0
let packets = 0

function start(): { nodeId: Uint8Array; messenger: Messenger } {
  const identity = createIdentity(crypto, systemRandom(32))
  const messenger = new Messenger(
    { crypto, identity, random: systemRandom, store: new MemoryStore(), counters: new ReservedCounter(0n, () => {}) },
    {
      sendPacket: (_nowMs, destination, packet) => {
        wire.push({ to: nodes.get(toHex(destination))!.messenger, packet })
        packets++
        return 'sent'
      },
      publicKeyOf: (nodeId) => nodes.get(toHex(nodeId))?.publicKey,
      message: () => {},
      stateChanged: () => {},
      stream: ({ kind, stream }) => {
        if (kind === 'readable') received += stream.read(nowMs).length
        if (kind === 'writable') fill(stream)
      },
    },
  )
  nodes.set(toHex(identity.nodeId), { messenger, publicKey: identity.publicKey })
  return { nodeId: identity.nodeId, messenger }
}

const data = systemRandom(65_536)
function fill(stream: Stream): void {
  while (stream.write(nowMs, data) === data.length) {}
}

const [ann, ben] = [start(), start()]
fill(ann.messenger.openStream(nowMs, ben.nodeId))
const startMs = performance.now()
while (received < MEGABYTES * 1024 * 1024) {
  nowMs += ROUND_TRIP_MS / 2
  const arriving = wire
  wire = []
  for (const { to, packet } of arriving) to.receivePacket(nowMs, decodePacket(packet))
  for (const { messenger } of [ann, ben]) if (messenger.nextWakeMs() <= nowMs) messenger.tick(nowMs)
}
const seconds = (performance.now() - startMs) / 1_000
console.log(`${cpus()[0]?.model}, Node ${process.version}, one core for both ends, ${crypto.name}`)
console.log(`${(received / seconds / 1e6).toFixed(1)} MB/s of CPU, ${Math.round(packets / seconds)} packets/s`)
console.log(
  `${(received / (nowMs / 1_000) / 1e6).toFixed(1)} MB/s of virtual time at a round trip of ${ROUND_TRIP_MS} ms`,
)
