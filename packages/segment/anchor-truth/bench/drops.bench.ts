// CPU per dropped datagram beside one HMAC: node --conditions=nexus-source bench/drops.bench.ts
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity } from '@nexus/identity'
import { Segment, SequenceSource, signPulse } from '../src/index.ts'

const ROUNDS = 20_000
const crypto = await nodeCrypto()
const source = { address: new Uint8Array(16).fill(1), port: 19_541 }
const own = createIdentity(crypto, new Uint8Array(32).fill(1))
const other = createIdentity(crypto, new Uint8Array(32).fill(2))
const sent: Uint8Array[] = []
let boot = 0
const sequence = new SequenceSource(() => ++boot)
const options = {
  crypto,
  identity: own,
  random: seededRandom(1),
  sequence,
  ego: 1,
  type: 'Agent',
  zone: '',
  name: '',
} as const
const admission = { mode: 'passphrase', key: new Uint8Array(32) } as const
const segment = new Segment({ ...options, admission }, { transmit: (datagram) => sent.push(datagram), event: () => {} })
segment.up(0, source)
for (let nowMs = 0; nowMs < 9_000; nowMs += 50) segment.tick(nowMs)
const epochId = Uint8Array.from(Buffer.from(segment.allegiance!.epochId, 'hex'))
const pulse = (id: Uint8Array, at: number): Uint8Array =>
  signPulse(crypto, other, source, new Uint8Array(32), {
    ...{ epochId: id, boot: 1, sequence: at, uptimeSeconds: 1, ego: 9, isAnchor: false, missed: 0 },
    ...{ type: 'Agent', zoneHash: new Uint8Array(4), name: 'someone' },
  })
const hmacInput = new Uint8Array(160)
const rows: Record<string, () => void> = {
  'HMAC-SHA256 of a pulse alone': () => void crypto.hmacSha256(hmacInput.subarray(0, 32), hmacInput),
}
const wrongMac = pulse(epochId, 1)
rows['mac: known epoch, wrong key'] = () => segment.receive(9_000, wrongMac, source)
const unknown = pulse(new Uint8Array(8), 1)
rows['unknown-epoch'] = () => segment.receive(9_000, unknown, source)
const malformed = wrongMac.slice(0, -1)
rows['malformed'] = () => segment.receive(9_000, malformed, source)

for (const [name, run] of Object.entries(rows)) {
  for (let warm = 0; warm < 2_000; warm++) run()
  const before = process.cpuUsage()
  for (let round = 0; round < ROUNDS; round++) run()
  const { user, system } = process.cpuUsage(before)
  console.log(`${name.padEnd(32)} ${((user + system) / ROUNDS).toFixed(2)} µs of CPU`)
}
