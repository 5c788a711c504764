import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeChannelMessage } from '@nexus/channels'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { expect, test } from 'vitest'
import { Disk, type DiskOp } from '../../../../tools/power-cut/disk.ts'
import { canRecord, record } from '../../../../tools/power-cut/record.ts'
import { openStore } from '../../../toolkit/node/src/driver/sqlite-store.ts'
import { twoParties, twoSeeds } from './parties.ts'
import { signatureIn, Trader } from './trader.ts'

const crypto = await nodeCrypto()
const cuts = Number(process.env['NEXUS_CUTS'] ?? 60)
const skipped = !canRecord() && process.env['CI'] === undefined
if (skipped) console.warn('no C compiler, or not Linux: the power cuts of channels are SKIPPED')

const chance = (): number => systemRandom(1)[0]! / 256
const SIDES = ['a', 'b'] as const
const parties = twoParties(crypto)
const seeds = twoSeeds(crypto)
const NONE = '00'.repeat(64)

/** What the world saw of each side: the signature given away for each sequence. */
type Seen = Map<string, string>

/** Starts both sides on what the cut left, and lets them come to an end. */
function check(files: ReadonlyMap<string, Uint8Array>, seen: Seen, folder: string): void {
  mkdirSync(folder)
  for (const [name, bytes] of files)
    if (!name.includes('shm') && name !== 'left') writeFileSync(join(folder, name), bytes)
  const stores = SIDES.map((side) => openStore(join(folder, `${side}.db`)))
  expect(stores.map(({ setAside }) => setAside)).toEqual([undefined, undefined])
  const given = new Map(seen)
  const wire: (() => void)[] = []
  let nowMs = 0
  const traders = SIDES.map((side, n) => {
    return new Trader(crypto, systemRandom, seeds[side], stores[n]!.store, (_, bytes) => {
      const signed = signatureIn(decodeChannelMessage(bytes), side)
      if (signed !== undefined && signed.signature !== NONE) {
        const key = `${side} ${signed.sequence}`
        expect(given.get(key) ?? signed.signature, `${key} was signed twice`).toBe(signed.signature)
        given.set(key, signed.signature)
      }
      wire.push(() => traders[1 - n]!.channels.receive(nowMs, parties[side].nodeId, bytes))
    })
  })
  const peers = [parties.b, parties.a]
  for (const [n, { channels }] of traders.entries()) {
    expect(channels.unreadable).toBe(0)
    channels.linkUp(nowMs, peers[n]!.publicKey, 1_000)
  }
  // What left is on disk: nobody holds less than it gave away.
  for (const [n, side] of SIDES.entries()) {
    const greatest = [...seen.keys()].filter((key) => key.startsWith(side)).map((key) => BigInt(key.slice(2)))
    if (greatest.length === 0) continue
    expect(traders[n]!.channels.view(peers[n]!.nodeId), side).toBeDefined()
  }
  for (let turn = 0; turn < 12; turn++) {
    for (const [n, trader] of traders.entries()) {
      trader.channels.open(nowMs, peers[n]!.nodeId)
      trader.claimAll(nowMs, peers[n]!.nodeId)
      trader.channels.tick(nowMs)
    }
    for (let next = wire.shift(); next !== undefined; next = wire.shift()) next()
    nowMs += 1_000
  }
  const [a, b] = traders as [Trader, Trader]
  expect([a.openClaims, b.openClaims]).toEqual([0, 0])
  const owedToA = a.channels.view(parties.b.nodeId)!.owedMicro
  expect(owedToA).toBe(b.paidMicro - a.paidMicro)
  expect(b.channels.view(parties.a.nodeId)!.owedMicro).toBe(-owedToA)
  for (const { store } of stores) store.close()
  rmSync(folder, { recursive: true })
}

test.skipIf(skipped)(
  `${cuts} power cuts, with unflushed writes lost or torn, lose no signature that left and make none twice`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexus-channels-power-'))
    try {
      const child = fileURLToPath(new URL('power-child.ts', import.meta.url))
      const watched = join(folder, 'watched')
      mkdirSync(watched)
      const args = ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning', child, watched, '60']
      const ops = await record({ folder: watched, args })
      const flushes = ops.flatMap(({ kind, name }, at) => (kind === 'sync' && name.includes('.db') ? [at + 1] : []))
      expect(flushes.length).toBeGreaterThan(100)
      const disk = new Disk()
      const seen: Seen = new Map()
      // Half of the cuts right after a flush, where the promise is newest.
      const points = Array.from({ length: cuts }, (_, n) =>
        n % 2 === 0 ? flushes[Math.floor(chance() * flushes.length)]! : Math.floor((n / cuts) * ops.length),
      ).toSorted((x, y) => x - y)
      let at = 0
      for (const [n, point] of points.entries()) {
        for (; at < point; at++) follow(ops[at]!, disk, seen)
        check(disk.cut(chance), seen, join(folder, `cut-${n}`))
      }
      for (; at < ops.length; at++) follow(ops[at]!, disk, seen)
      expect(seen.size).toBeGreaterThan(100)
      console.log(
        `${cuts} cuts over ${ops.length} changes and ${flushes.length} flushes, ${seen.size} signatures left, 0 lost`,
      )
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
  120_000 + cuts * 2_000,
)

function follow(op: DiskOp, disk: Disk, seen: Seen): void {
  if (op.name !== 'left') return disk.apply(op)
  if (op.kind !== 'write') return
  for (const line of new TextDecoder().decode(op.data).trim().split('\n')) {
    const [side, sequence, signature] = line.split(' ')
    if (signature === undefined || signature === NONE) continue
    seen.set(`${side} ${sequence}`, signature)
  }
}
