/**
 * Rates of the link layer, both ends in one process: `node --conditions=nexus-source bench/link.bench.ts`. Handshakes are
 * shown beside their own X25519 operations (8 per pair: 2 key pairs, 6 agreements), frames beside the bare cipher.
 */
import { performance } from 'node:perf_hooks'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { LinkLayer, MESSAGE } from '@nexus/link'
import type { InterfaceFacts } from '@nexus/transport'

const crypto = await nodeCrypto()
const identities = [1, 2].map(() => createIdentity(crypto, systemRandom(32)))
const facts: InterfaceFacts = {
  id: 'wire',
  kind: 'memory',
  mtuBytes: 1_400,
  bitrateBps: 1_000_000_000,
  duplex: 'full',
  dutyCycle: 1,
  reach: 'point',
  addressed: false,
}

/** Two layers whose frames wait in a queue, for `deliver` to hand over. */
function wire() {
  const queue: { to: number; frame: Uint8Array }[] = []
  let received = 0
  const layers = identities.map((identity, n) => {
    return new LinkLayer(
      { crypto, identity, random: systemRandom },
      {
        transmit: (_, frame) => queue.push({ to: 1 - n, frame: frame.slice() }) > 0,
        linkUp: () => undefined,
        linkDown: () => undefined,
        message: () => {
          received++
        },
        refused: ({ reason }) => {
          throw new Error(reason)
        },
      },
    )
  })
  const deliver = (nowMs: number) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      layers[next.to]!.receive(nowMs, 'wire', next.frame)
    }
  }
  const link = () => {
    for (const layer of layers) layer.interfaceUp(0, facts)
    deliver(0)
    const [ours, theirs] = layers.map((layer) => [...layer.links()][0])
    if (ours === undefined || theirs === undefined) throw new Error('not linked')
    return ours
  }
  return { layers, queue, deliver, link, received: () => received }
}

function perSecond(rounds: number, run: () => void): number {
  for (let n = 0; n < rounds / 5; n++) run()
  const samples = Array.from({ length: 5 }, () => {
    const startMs = performance.now()
    for (let n = 0; n < rounds; n++) run()
    return (rounds * 1_000) / (performance.now() - startMs)
  })
  return samples.toSorted((a, b) => a - b)[2]!
}

const secret = systemRandom(32)
const publicKey = crypto.x25519PublicKey(systemRandom(32))
const operations = perSecond(200, () => {
  for (let n = 0; n < 2; n++) crypto.x25519PublicKey(systemRandom(32))
  for (let n = 0; n < 4; n++) crypto.x25519(systemRandom(32), publicKey)
  for (let n = 0; n < 2; n++) crypto.x25519(secret, publicKey)
})
const handshakes = perSecond(200, () => wire().link())
console.log(
  `${crypto.name}: ${Math.round(handshakes)} handshakes/s, both ends; ${Math.round(operations)}/s for the X25519 alone; ratio ${(handshakes / operations).toFixed(2)}`,
)

const body = systemRandom(484)
const cipher = crypto.cipher(secret)
const sealed = new Uint8Array(600)
const plaintext = systemRandom(485)
const header = systemRandom(7)
let counter = 0
const bare = perSecond(20_000, () => {
  const length = cipher.seal(counter, header, plaintext, sealed, 0)
  cipher.open(counter, header, sealed.subarray(0, length), plaintext, 0)
  counter++
})
const pair = wire()
const link = pair.link()
const frames = perSecond(20_000, () => {
  pair.layers[0]!.send(0, link, MESSAGE.packet, body)
  const next = pair.queue.shift()!
  pair.layers[1]!.receive(0, 'wire', next.frame)
})
if (pair.received() < 100_000) throw new Error('frames were lost')
console.log(
  `${Math.round(frames)} frames/s of 484 B, sealed and opened; ${Math.round(bare)}/s for the bare cipher; ratio ${(frames / bare).toFixed(2)}`,
)
