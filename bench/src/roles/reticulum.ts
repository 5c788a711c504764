/** A node of @nexus/reticulum, asked as Reticulum's own is (peers/reticulum.py). */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fromHex, toHex } from '@nexus/codec'
import {
  announcePacket,
  announceRandomHash,
  type Destination,
  decodeAnnounce,
  decodePacket,
  destinationHash,
  encodePacket,
  Identity,
  type Known,
  type Link,
  nameHash,
  type RemoteDestination,
  verifyAnnounce,
} from '@nexus/reticulum'
import { type RunningReticulum, startReticulum, tcpClientMedium, tcpServerMedium } from '@nexus/reticulum/node'
import { serve, type Values } from '../child.ts'

const NAME = 'bench.net'
const ANNOUNCES = 400
let reticulum: RunningReticulum | undefined
let served: Destination | undefined
let remote: (Known & RemoteDestination) | undefined
let link: Link | undefined
let announces: Uint8Array[] = []
let count = 0
let bytes = 0
let firstMs = 0
let lastMs = 0

function heard(data: Uint8Array): void {
  const nowMs = performance.now()
  if (count === 0) firstMs = nowMs
  count++
  bytes += data.length
  lastMs = nowMs
}

function node(): RunningReticulum {
  if (reticulum === undefined) throw new Error('not opened')
  return reticulum
}

serve({
  async open({ listen, connect, mtuBytes, transport }: Values) {
    const options = typeof mtuBytes === 'number' ? { mtuBytes } : {}
    const media = [
      ...(typeof listen === 'number' ? [tcpServerMedium({ host: '127.0.0.1', port: listen }, options)] : []),
      ...(typeof connect === 'number' ? [tcpClientMedium(`127.0.0.1:${connect}`, options)] : []),
    ]
    const starter = await startReticulum()
    reticulum = await startReticulum({ media, ...(transport ? { transport: starter.newIdentity() } : {}) })
    await starter.stop()
    if (typeof connect === 'number') await reticulum.node.online()
    return {}
  },
  listen() {
    const own = node().node.serve(node().newIdentity(), NAME, { proves: 'none', resources: 'all' })
    own.links.subscribe((one) => one.packets.subscribe(heard))
    served = own
    return { hash: toHex(own.hash) }
  },
  announce() {
    served?.announce()
    return {}
  },
  async connect({ hash }: Values) {
    remote = await node().node.resolve(fromHex(hash as string), { timeoutMs: 30_000 })
    return {}
  },
  async open_link() {
    if (remote === undefined) throw new Error('not connected')
    link = await node().node.connect(remote, { proves: false })
    return { mtu: link.mtuBytes }
  },
  reset() {
    count = 0
    bytes = 0
    firstMs = 0
    lastMs = 0
    return {}
  },
  stat() {
    const { user, system } = process.cpuUsage()
    return { count, bytes, seconds: (lastMs - firstMs) / 1_000, cpuSeconds: (user + system) / 1e6 }
  },
  memory() {
    return { bytes: process.memoryUsage().rss }
  },
  async transfer({ bytes: length }: Values) {
    if (link === undefined) throw new Error('no link')
    const data = new Uint8Array(randomBytes(length as number))
    const startMs = performance.now()
    await link.sendResource(data, { compress: false }).done
    return { seconds: (performance.now() - startMs) / 1_000 }
  },
  async validate_announces({ count: wanted }: Values) {
    const { crypto } = node()
    if (announces.length === 0) announces = makeAnnounces()
    await sleep(0)
    const startMs = performance.now()
    for (let n = 0; n < (wanted as number); n++) {
      const announce = decodeAnnounce(decodePacket(announces[n % ANNOUNCES] as Uint8Array))
      if (!verifyAnnounce(crypto, announce)) throw new Error('a good announce was refused')
    }
    return { seconds: (performance.now() - startMs) / 1_000 }
  },
})

function makeAnnounces(): Uint8Array[] {
  const { crypto } = node()
  const random = (length: number) => new Uint8Array(randomBytes(length))
  const name = nameHash(crypto, NAME)
  return Array.from({ length: ANNOUNCES }, (_, n) => {
    const identity = Identity.generate(crypto, random)
    const fields = {
      destination: destinationHash(crypto, name, identity.hash),
      nameHash: name,
      randomHash: announceRandomHash(random(5), 1_767_225_600 + n),
      appData: new TextEncoder().encode(`node ${n}`),
    }
    return encodePacket(announcePacket(identity, fields, 0))
  })
}
