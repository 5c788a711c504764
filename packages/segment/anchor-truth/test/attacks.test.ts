import {
  type Admission,
  decodeDatagram,
  type Epoch,
  epochIdOf,
  passphraseEpochKey,
  type Request,
  signEpoch,
  signPulse,
  signRequest,
} from '@nexus/anchor-truth'
import { toHex } from '@nexus/codec'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity, type Identity } from '@nexus/identity'
import { describe, expect, test } from 'vitest'
import { World } from './world.ts'

const crypto = await nodeCrypto()
const outsider = createIdentity(crypto, new Uint8Array(32).fill(99))
const PASSPHRASE_KEY = new Uint8Array(32).fill(7)
const far = { address: Uint8Array.of(0xfe, 0x80, ...new Array(13).fill(0), 0xee), port: 19_541 }
const allowList = (keys: readonly Uint8Array[]): Admission => ({
  mode: 'allow-list',
  egos: new Map(keys.map((key) => [toHex(key), 10])),
})

/** Three nodes that agree, and all that was said. */
function settled(admission?: (keys: readonly Uint8Array[]) => Admission) {
  const said: { from: number; bytes: Uint8Array }[] = []
  const deliver = (from: number, _to: number, bytes: Uint8Array) => {
    if (said.at(-1)?.bytes !== bytes) said.push({ from, bytes })
    return 1
  }
  const world = new World({ seed: 7, crypto, deliver, ...(admission === undefined ? {} : { admission }) })
  world.make(3)
  for (const index of [0, 1, 2]) world.start(index)
  world.runUntil(20_000)
  expect(world.isAgreed()).toBe(true)
  return { world, said }
}

/** All that decides who leads and who is a member; not how often something was dropped. */
function standing(world: World): string {
  return world.nodes
    .map(({ segment }, index) => {
      const { phase, anchor, epoch, members } = world.status(index)
      const known = members.map(({ publicKey, source }) => toHex(publicKey) + toHex(source.address)).sort()
      return JSON.stringify([phase, anchor && toHex(anchor.nodeId), epoch?.id, known, segment?.allegiance?.epochId])
    })
    .join('\n')
}

describe.each([
  ['passphrase', undefined],
  ['allow-list', allowList],
] as const)('an outsider, %s', (mode, admission) => {
  test('replays, from where it was said and from elsewhere, change nothing', () => {
    const { world, said } = settled(admission)
    const before = standing(world)
    for (const { from, bytes } of said) {
      for (const source of [world.nodes[from]!.source, far])
        for (const to of [0, 1, 2]) world.deliver(to, bytes, source)
    }
    expect(standing(world)).toBe(before)
    const drops = world.status(0).drops
    expect(drops.replay + drops.self).toBe(said.length * 2)
  })

  test('its own pulses, claims and changed bytes change nothing', () => {
    const { world, said } = settled(admission)
    const before = standing(world)
    const [anchor] = world.anchors()
    const epochId = world.nodes[anchor!]!.segment!.allegiance!.epochId
    const wrongKey = new Uint8Array(32).fill(1)
    const heads = said
      .map(({ bytes }) => decodeDatagram(bytes))
      .filter((datagram): datagram is Request => datagram.kind === 'request')
      .map(({ nonce }) => ({
        nonceHead: nonce.slice(0, 8),
        ...(mode === 'passphrase' ? {} : { sealedKey: new Uint8Array(48) }),
      }))
    const name = { boot: 9, sequence: 1, ego: 255 }
    const forged = [
      signPulse(crypto, outsider, far, wrongKey, {
        ...{
          ...name,
          epochId: Uint8Array.from(Buffer.from(epochId, 'hex')),
          uptimeSeconds: 1,
          isAnchor: true,
          missed: 0,
        },
        ...{ type: 'Agent', zoneHash: new Uint8Array(4), name: 'ghost' },
      }),
      signEpoch(crypto, outsider, far, wrongKey, {
        ...name,
        admission: mode,
        epoch: 99,
        salt: new Uint8Array(32),
        answers: heads,
      }),
      ...said.flatMap(({ bytes }) =>
        [2, 20, bytes.length - 40, bytes.length - 1].map((at) =>
          bytes.map((byte, index) => (index === at ? byte ^ 1 : byte)),
        ),
      ),
    ]
    for (const bytes of forged) for (const to of [0, 1, 2]) world.deliver(to, bytes, far)
    expect(standing(world)).toBe(before)
    world.runUntil(30_000)
    expect(world.isAgreed()).toBe(true)
    expect(world.promotions(20_000)).toBe(0)
  })

  test('a dead anchor’s claims, played again to those who knew it and to those who did not, make no ghost', () => {
    const { world, said } = settled(admission)
    const [ghost] = world.anchors()
    const claims = said.filter(({ from, bytes }) => from === ghost && bytes[0] === 2)
    expect(claims.length).toBeGreaterThan(0)
    world.crash(ghost!)
    world.runUntil(45_000)
    const before = standing(world.nodes[ghost!]!.segment === undefined ? withoutDead(world, ghost!) : world)
    for (const { bytes } of claims) for (const to of [0, 1, 2]) world.deliver(to, bytes, world.nodes[ghost!]!.source)
    expect(standing(withoutDead(world, ghost!))).toBe(before)
    world.runUntil(60_000)
    expect(world.isAgreed()).toBe(true)
  })

  test('pulses of an anchor that never answers make members ask less and less', () => {
    const { world } = settled(admission)
    const strangers = mode === 'passphrase' ? outsider : world.nodes[0]!.identity
    const idBytes = epochIdOf(crypto, { publicKey: strangers.publicKey, epoch: 5, salt: new Uint8Array(32) })
    const asked = () => [0, 1, 2].reduce((sum, index) => sum + world.status(index).sent.request, 0)
    const before = asked()
    for (let beat = 0; beat < 600; beat++) {
      const bytes = signPulse(crypto, outsider, far, new Uint8Array(32), {
        ...{ epochId: idBytes, boot: 9, sequence: 10 + beat, ego: 255, uptimeSeconds: 1, isAnchor: true, missed: 0 },
        ...{ type: 'Agent', zoneHash: new Uint8Array(4), name: '' },
      })
      for (const to of [0, 1, 2]) world.deliver(to, bytes, far)
      world.runUntil(20_000 + (beat + 1) * 100)
    }
    // A minute of ten a second: each asks three times at once, then at most each ten seconds.
    expect(asked() - before).toBeLessThanOrEqual(3 * 9 * 3)
    expect(world.isAgreed()).toBe(true)
    expect(world.promotions(20_000)).toBe(0)
  })

  test('a flood of requests is answered within the budget, and the anchor stays', () => {
    const { world } = settled(admission)
    const [anchor] = world.anchors()
    const before = world.status(anchor!).sent.epoch
    for (let n = 0; n < 120; n++) {
      const stranger = createIdentity(crypto, new Uint8Array(32).fill(n % 40).fill(1 + (n % 7), 8))
      const source = { address: Uint8Array.of(0xfe, 0x80, ...new Array(12).fill(0), n >> 8, n & 0xff), port: 19_541 }
      const request = {
        boot: 1 + n,
        sequence: 1,
        ego: 255,
        zoneHash: new Uint8Array(4),
        nonce: new Uint8Array(16).fill(n),
      }
      world.deliver(anchor!, signRequest(stranger, source, request), source)
      world.runUntil(20_000 + n * 5)
    }
    world.runUntil(25_000)
    expect(world.status(anchor!).sent.epoch - before).toBeLessThanOrEqual(20 + 20 * 5)
    expect(world.anchors()).toEqual([anchor])
  })

  test('requests that do not hold use up nothing of the address that they name', () => {
    const { world } = settled(admission)
    const [anchor] = world.anchors()
    const newcomer = [0, 1, 2].find((index) => index !== anchor)!
    const { identity, source } = world.nodes[newcomer]!
    world.crash(newcomer)
    world.runUntil(25_000)
    for (let n = 0; n < 50; n++) {
      const fields = {
        boot: 9,
        sequence: 1 + n,
        ego: 10,
        zoneHash: new Uint8Array(4),
        nonce: new Uint8Array(16).fill(n),
      }
      world.deliver(anchor!, signRequest(identity, far, fields), source)
    }
    expect(world.status(anchor!).drops.signature).toBeGreaterThanOrEqual(50)
    world.start(newcomer)
    world.runUntil(25_200)
    expect(world.nodes[newcomer]!.segment?.phase).toBe('member')
  })
})

describe('an insider', () => {
  test('that claims with a greater ego wins, and no more: all follow it', () => {
    const { world, said } = settled()
    const [anchor] = world.anchors()
    const liar = [0, 1, 2].find((index) => index !== anchor)!
    world.nodes[liar]!.segment!.setEgo(255)
    world.runUntil(120_000)
    expect(world.anchors()).toEqual([liar])
    expect(world.isAgreed()).toBe(true)
    expect(said.length).toBeGreaterThan(0)
  })

  test('that claims for many identities changes the anchor at most 6 times a minute', () => {
    const { world, said } = settled()
    const [anchor] = world.anchors()
    const witness = [0, 1, 2].find((index) => index !== anchor)!
    const current = currentKey(said)
    for (let n = 0; n < 20; n++) {
      const identity = createIdentity(crypto, new Uint8Array(32).fill(101 + n))
      // Heard under the key of whoever leads: so its claim counts.
      world.deliver(witness, insiderPulse(identity, current, 1, 7), far)
      world.deliver(witness, insiderClaim(identity, 20 + n), far)
    }
    const followed = world.seen.filter(
      ({ node, atMs, event }) => node === witness && atMs >= 20_000 && event.kind === 'followed',
    )
    expect(followed).toHaveLength(6)
  })

  test('pinned to an ego, it cannot claim another one', () => {
    const { world } = settled(allowList)
    const { identity } = world.nodes[0]!
    const fields = { boot: 90, sequence: 1, ego: 200, zoneHash: new Uint8Array(4), nonce: new Uint8Array(16) }
    world.deliver(1, signRequest(identity, far, fields), far)
    expect(world.status(1).drops['pinned-ego']).toBe(1)
  })

  test('that vouches for a dead anchor delays the next one, though not beyond five pulses and the wait', () => {
    const { world, said } = settled()
    const [anchor] = world.anchors()
    const current = currentKey(said)
    const liar = createIdentity(crypto, new Uint8Array(32).fill(77))
    world.crash(anchor!)
    const lostMs = world.nowMs
    for (let second = 0; second < 40; second++) {
      for (const to of [0, 1, 2]) world.deliver(to, insiderPulse(liar, current, 1 + second, 0), far)
      world.runUntil(lostMs + (second + 1) * 1_000)
    }
    const [promoted] = world.seen.filter(({ atMs, event }) => atMs > lostMs && event.kind === 'promoted')
    expect(promoted!.atMs - lostMs).toBeGreaterThan(18_500)
    expect(promoted!.atMs - lostMs).toBeLessThan(28_500)
  })
})

/** What every insider has: the key of the epoch that was last claimed. */
function currentKey(said: readonly { readonly bytes: Uint8Array }[]): { key: Uint8Array; epochId: Uint8Array } {
  const epoch = said.map(({ bytes }) => decodeDatagram(bytes)).findLast(({ kind }) => kind === 'epoch') as Epoch
  return { key: passphraseEpochKey(crypto, PASSPHRASE_KEY, epoch), epochId: epochIdOf(crypto, epoch) }
}

type Current = ReturnType<typeof currentKey>

function insiderPulse(identity: Identity, { key, epochId }: Current, sequence: number, missed: number): Uint8Array {
  return signPulse(crypto, identity, far, key, {
    ...{ epochId, boot: 1, sequence, uptimeSeconds: 0xffff_ffff, ego: 1, isAnchor: false, missed },
    ...{ type: 'Agent', zoneHash: new Uint8Array(4), name: '' },
  })
}

function insiderClaim(identity: Identity, ego: number): Uint8Array {
  const name = { publicKey: identity.publicKey, epoch: 50, salt: new Uint8Array(32).fill(ego) }
  const key = passphraseEpochKey(crypto, PASSPHRASE_KEY, name)
  const { epoch, salt } = name
  return signEpoch(crypto, identity, far, key, {
    admission: 'passphrase',
    boot: 2,
    sequence: 1,
    ego,
    epoch,
    salt,
    answers: [],
  })
}

function withoutDead(world: World, dead: number): World {
  return Object.assign(Object.create(world), {
    nodes: world.nodes.filter((_, index) => index !== dead),
    status: (at: number) => world.status(at >= dead ? at + 1 : at),
  })
}
