/** Checks announces, and the signatures in them without anything around. */
import { createPublicKey, verify } from 'node:crypto'
import { encodePathCost, PATH_COST_ORIGIN } from '@nexus/compact-path-cost'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import {
  announceVerifyJob,
  decodeAnnounce,
  encodeAnnouncePacket,
  packetData,
  packetDestination,
  packetFault,
  signAnnounce,
  verifyAnnounce,
} from '@nexus/framing'
import { createIdentity } from '@nexus/identity'
import { serve, type Values } from '../child.ts'

/** Of different nodes; each is checked again and again, as nodes announce themselves again and again. */
const ANNOUNCES = 400
const BATCH = 64

const crypto = await nodeCrypto()
const packets = Array.from({ length: ANNOUNCES }, () => {
  const identity = createIdentity(crypto, systemRandom(32))
  const announce = signAnnounce(identity, { lamport: 1n, cost: encodePathCost(PATH_COST_ORIGIN) })
  return encodeAnnouncePacket(identity.nodeId, announce)
})
const bareChecks = packets.map((packet) => {
  const job = announceVerifyJob(crypto, packetDestination(packet), decodeAnnounce(packetData(packet)))
  const x = Buffer.from(job.publicKey).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  const message = Buffer.concat([Buffer.from(job.tag, 'ascii'), ...job.parts])
  return { key, message, signature: Buffer.from(job.signature) }
})

const nth = <T>(list: readonly T[], at: number): T => list[at % list.length]!

serve({
  ours: ({ count }) =>
    timed(Number(count), (at) => {
      const packet = nth(packets, at)
      return (
        packetFault(packet) === undefined &&
        verifyAnnounce(crypto, packetDestination(packet), decodeAnnounce(packetData(packet)))
      )
    }),
  batch: async ({ count }) => {
    const startMs = performance.now()
    for (let at = 0; at < Number(count); at += BATCH) {
      const jobs = Array.from({ length: BATCH }, (_, offset) => {
        const packet = nth(packets, at + offset)
        return announceVerifyJob(crypto, packetDestination(packet), decodeAnnounce(packetData(packet)))
      })
      const verdicts = await crypto.verifyBatch(jobs)
      if (verdicts.includes(false)) throw new Error('a good announce was refused')
    }
    return perSecond(Math.ceil(Number(count) / BATCH) * BATCH, startMs)
  },
  bare: ({ count }) =>
    timed(Number(count), (at) => {
      const { key, message, signature } = nth(bareChecks, at)
      return verify(null, message, key, signature)
    }),
})

function timed(count: number, check: (at: number) => boolean): Values {
  const startMs = performance.now()
  for (let at = 0; at < count; at++) if (!check(at)) throw new Error('a good announce was refused')
  return perSecond(count, startMs)
}

function perSecond(count: number, startMs: number): Values {
  return { perSecond: (count * 1_000) / (performance.now() - startMs) }
}
