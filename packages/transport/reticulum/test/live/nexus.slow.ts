import { toHex } from '@nexus/codec'
import { genesisSnapshot } from '@nexus/crdt-ledger'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity, encodeAdvisory, signAdvisory } from '@nexus/identity'
import { createNode, type Node } from '@nexus/node'
import { nexusReticulumIdentity } from '@nexus/reticulum'
import { nexusTransportOn, startReticulum, tcpClientMedium } from '@nexus/reticulum/node'
import { udpTransport } from '@nexus/transport-udp'
import { beforeAll, describe, expect, test } from 'vitest'
import { Peer } from './peer.ts'
import { rnsPython } from './python.ts'

const REPETITIONS = Number(process.env['NEXUS_REPEAT'] ?? 1)
const FIRST = Number(process.env['NEXUS_FIRST'] ?? 1)
/** The gossip type of advisories that a key is compromised (docs/spec/gossip.md). */
const ADVISORY_TYPE = 1
/** Context of packets that mean nothing to who receives them. */
const CONTEXT = 0x90
const BALANCE_MICRO = 1_000_000_000n
/** Below 1 Mbit/s the lottery's windows are of 256 frames. */
const BITRATE_BPS = 900_000
const STEP_MS = 50

const crypto = await nodeCrypto()

beforeAll(async () => {
  await rnsPython()
}, 300_000)

interface Participant {
  readonly seed: Uint8Array
  readonly identity: ReturnType<typeof createIdentity>
}

/** What one test starts, and what ends with it, the last first. */
class Stage {
  readonly #running: { stop(): Promise<void> }[] = []
  readonly participants: readonly Participant[] = Array.from({ length: 3 }, () => {
    const seed = systemRandom(32)
    return { seed, identity: createIdentity(crypto, seed) }
  })
  readonly #genesis = genesisSnapshot(
    (bytes) => crypto.blake3(bytes),
    this.participants.map(({ identity }) => [identity.nodeId, BALANCE_MICRO] as const),
  )

  async stop(): Promise<void> {
    for (const one of this.#running.splice(0).reverse()) await one.stop()
  }

  /** Addresses of two stock transport nodes, joined to each other. */
  async stockNetwork(): Promise<[string, string]> {
    const west = await this.#until(Peer.start('transport', '--listen', '127.0.0.1:0', '--listen', '127.0.0.1:0'))
    const east = await this.#until(Peer.start('transport', '--listen', '127.0.0.1:0', '--connect', west.address(1)))
    return [west.address(0), east.address(0)]
  }

  /** A NEXUS node in the Reticulum network behind `address`, and on other media, whose relaying costs. */
  async node(
    at: number,
    label: string,
    address: string | undefined,
    udp?: ReturnType<typeof udpTransport>,
  ): Promise<Node> {
    const { seed, identity } = this.participants[at]!
    const transports = udp === undefined ? [] : [udp]
    if (address !== undefined) {
      const media = [tcpClientMedium(address, { bitrateBps: BITRATE_BPS })]
      const reticulum = await this.#until(startReticulum({ crypto, media }))
      await reticulum.node.online()
      const transport = nexusTransportOn(reticulum, {
        identity: nexusReticulumIdentity(crypto, reticulum.crypto, seed),
        extension: () => Uint8Array.of(0x4e, 1, 0, 0, 0, 0, 0, 0),
        announceMs: 5_000,
      })
      transports.push(transport as (typeof transports)[number])
    }
    const node = await createNode({
      identity,
      crypto,
      transports,
      label,
      roundMs: 2_000,
      priceMicroPerMib: 10_000_000,
      economy: { genesis: this.#genesis, exposureLimitMicro: 50_000_000n },
    })
    await node.start()
    return this.#until(Promise.resolve(node))
  }

  async #until<T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> {
    const one = await starting
    this.#running.push(one)
    return one
  }
}

async function until(what: string, isSo: () => boolean | Promise<boolean>, limitMs = 40_000): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}

/** The first event of this kind at a node. */
async function eventOf(node: Node, kind: string) {
  for await (const event of node.api.stream('events', { after: 0 }, AbortSignal.timeout(40_000))) {
    if (event.kind === kind) return event
  }
  throw new Error(`no event: ${kind}`)
}

const times = Array.from({ length: REPETITIONS }, (_, n) => n + FIRST)

describe.each(times)('NEXUS over Reticulum, time %i', () => {
  test.concurrent('two nodes across two stock transport nodes: messages, gossip, and a settlement', async ({
    onTestFinished,
  }) => {
    const stage = new Stage()
    onTestFinished(() => stage.stop())
    const [west, east] = await stage.stockNetwork()
    const local = udpTransport({ host: '127.0.0.1', port: 0, multicast: false, bitrateBps: BITRATE_BPS })
    const alice = await stage.node(0, 'alice', west)
    const bob = await stage.node(1, 'bob', east, local)
    await until('alice and bob are linked', () => alice.status().links.length > 0)
    expect(alice.status().interfaces.map(({ kind }) => kind)).toEqual(['reticulum'])

    const arrived = new Promise<string>((resolve) => bob.on('message', ({ text }) => resolve(text ?? '')))
    const delivered = new Promise<string>((resolve) => {
      alice.on('state', ({ state }) => {
        if (state === 'delivered' || state === 'failed') resolve(state)
      })
    })
    alice.send(bob.nodeId, 'across Reticulum')
    expect(await arrived).toBe('across Reticulum')
    expect(await delivered).toBe('delivered')

    const compromised = createIdentity(crypto, systemRandom(32))
    const body = encodeAdvisory(signAdvisory(compromised, { sequence: 1n }))
    alice.core.gossip.publish({ type: ADVISORY_TYPE, body })
    expect((await eventOf(bob, 'advisory')).facts).toMatchObject({ key: toHex(compromised.publicKey) })

    // Bob relays to carol, who is on his own network, and is paid for it.
    const port = { host: '127.0.0.1', port: 0, multicast: false, bitrateBps: BITRATE_BPS } as const
    const carol = await stage.node(2, 'carol', undefined, udpTransport({ ...port, peers: [local.address!] }))
    await until('alice knows carol', () =>
      alice.status().routes.some(({ destination }) => destination === carol.nodeId),
    )
    let relayed = 0
    carol.core.register(CONTEXT, () => relayed++)
    const { nodeId: to } = stage.participants[2]!.identity
    const owed = () => BigInt(bob.status().economy!.channels.find(({ peer }) => peer === alice.nodeId)?.owedMicro ?? 0)
    await until('alice owes bob', () => {
      for (let n = 0; n < 8; n++) alice.core.sendData(performance.now(), to, CONTEXT, systemRandom(200))
      return owed() > 0n
    })
    expect(relayed).toBeGreaterThan(0)
    await until('what is owed is settled', async () => {
      const { asked } = await bob.api.call('channel-settle', { to: alice.nodeId })
      return !asked && owed() === 0n
    })
    const balances = () => [alice, bob].map((node) => BigInt(node.status().economy!.balanceMicro))
    await until('both ledgers have applied it', () => {
      const [payer, payee] = balances() as [bigint, bigint]
      return payee > BALANCE_MICRO && payer + payee === 2n * BALANCE_MICRO
    })
    expect((await eventOf(alice, 'settled')).facts).toMatchObject({ peer: bob.nodeId })
  }, 150_000)
})
