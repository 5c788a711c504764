/** Links two nodes, both ends here, and does key agreements alone. */
import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { LinkLayer } from '@nexus/link'
import type { InterfaceFacts } from '@nexus/transport'
import { serve, type Values } from '../child.ts'

const crypto = await nodeCrypto()
const identities = [0, 1].map(() => createIdentity(crypto, systemRandom(32)))
const FACTS: InterfaceFacts = {
  id: 'wire',
  kind: 'memory',
  mtuBytes: 1_232,
  bitrateBps: 1_000_000_000,
  duplex: 'full',
  dutyCycle: 1,
  reach: 'point',
  addressed: false,
}

const secret = systemRandom(32)
const publicKey = crypto.x25519PublicKey(systemRandom(32))
const peerKey = createPublicKey(generateKeyPairSync('x25519').privateKey)

serve({
  handshakes: ({ count }) => timed(Number(count), linkUp),
  /** Noise XX between two who know each other: each makes an ephemeral key, and computes ee, es and se. */
  agreements: ({ count }) =>
    timed(Number(count), () => {
      const ends = [crypto.ephemeralKey(systemRandom), crypto.ephemeralKey(systemRandom)]
      for (const [end, ephemeral] of ends.entries()) {
        const theirs = ends[1 - end]!.publicKey
        ephemeral.agree(theirs)
        if (end === 0) ephemeral.agree(publicKey)
        else crypto.x25519(secret, theirs)
        if (end === 0) crypto.x25519(secret, theirs)
        else ephemeral.agree(publicKey)
      }
    }),
  /** What sealing to a key takes, without a provider around it. */
  ephemerals: ({ count }) =>
    timed(Number(count), () => {
      const { privateKey, publicKey: ephemeral } = generateKeyPairSync('x25519')
      ephemeral.export({ format: 'jwk' })
      diffieHellman({ privateKey, publicKey: peerKey })
    }),
})

function linkUp(): void {
  const wire: { to: number; frame: Uint8Array }[] = []
  const layers = identities.map((identity, end) => {
    return new LinkLayer(
      { crypto, identity, random: systemRandom },
      {
        transmit: (_, frame) => wire.push({ to: 1 - end, frame: frame.slice() }) > 0,
        linkUp: () => undefined,
        linkDown: () => undefined,
        message: () => undefined,
        refused: ({ reason }) => {
          throw new Error(reason)
        },
      },
    )
  })
  for (const layer of layers) layer.interfaceUp(0, FACTS)
  for (let next = wire.shift(); next !== undefined; next = wire.shift())
    layers[next.to]!.receive(0, FACTS.id, next.frame)
  if (layers.some((layer) => layer.stats().links !== 1)) throw new Error('not linked')
}

function timed(count: number, run: () => void): Values {
  const [cpu, startMs] = [process.cpuUsage(), performance.now()]
  for (let done = 0; done < count; done++) run()
  const perSecond = (count * 1_000) / (performance.now() - startMs)
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond, cpuMicros: (user + system) / count }
}
