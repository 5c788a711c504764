// Runs inside a network namespace: one driver, telling what happens on stdout, ended by a signal.
import { toHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import type { Admission } from '../../src/index.ts'
import { bootFile, SegmentDriver } from '../../src/node.ts'

const [label = '0', folder = '', mode = 'passphrase', known = '0'] = process.argv.slice(2)
const seedOf = (index: number): Uint8Array => new Uint8Array(32).fill(1 + index)
const crypto = await nodeCrypto()
const identity = createIdentity(crypto, seedOf(Number(label)))
const keys = Array.from({ length: Number(known) }, (_, index) => toHex(crypto.publicKey(seedOf(index))))
const admission: Admission =
  mode === 'allow-list'
    ? { mode, egos: new Map(keys.map((key) => [key, 10])) }
    : { mode: 'passphrase', key: new Uint8Array(32).fill(7) }

const say = (event: object) =>
  process.stdout.write(
    `${JSON.stringify({ atMs: Date.now(), ...event }, (_, value) => (value instanceof Uint8Array ? toHex(value) : value))}\n`,
  )
const driver = new SegmentDriver(
  {
    ...{ crypto, identity, admission, ego: 10, type: 'Agent', zone: 'Command', name: `n${label}` },
    nextBoot: bootFile(`${folder}/boot-${label}`),
    networkWatchMs: 250,
  },
  {
    event: (_interface, event) => say(event),
    problem: (name, error) => say({ kind: 'problem', text: `${name}: ${error.message}` }),
  },
)
driver.start()
setInterval(() => {
  const [status] = driver.status()
  if (status === undefined) return
  const { phase, anchor, epoch, members, drops, received, sent } = status
  const { user, system } = process.cpuUsage()
  const cpuMs = (user + system) / 1_000
  const facts = {
    phase,
    anchor: anchor?.nodeId,
    epochId: epoch?.id,
    members: members.length,
    drops,
    received,
    sent,
    cpuMs,
  }
  say({ kind: 'status', ...facts })
}, 250)
