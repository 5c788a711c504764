import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PORT, signPulse } from '@nexus/anchor-truth'
import { fromHex, toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { createIdentity } from '@nexus/identity'
import { expect, test } from 'vitest'
import { canMakeNamespaces, pause, Segment, until } from './netns/bench.ts'

const FLOOD = fileURLToPath(new URL('netns/flood.ts', import.meta.url))
const SECONDS = 30
const UNBOUNDED = 1_000_000
/**
 * The whole run floods with half the bare rate, and then without bound to see what is lost. The slice floods with a
 * quarter: on two cores the flooder, the counter and three nodes get in each other's way, and it is the node that is tested.
 */
const IS_WHOLE = process.env['NEXUS_FLOOD_WHOLE'] !== undefined

test.runIf(canMakeNamespaces()).each(['passphrase', 'allow-list'])(
  'a flood leaves the anchor in its role, %s',
  { timeout: 5 * 60_000, retry: IS_WHOLE ? 0 : 1 },
  async (mode) => {
    const folder = mkdtempSync(join(tmpdir(), 'nexus-flood-'))
    const segment = new Segment(`${process.pid % 1_000}f`, folder, mode)
    try {
      segment.plug(4)
      await pause(2_500)
      for (const index of [0, 1, 2]) segment.start(index)
      const anchor = await until('an anchor', 60_000, () =>
        segment.running().length === 3 ? segment.agreed() : undefined,
      )
      await pause(8_000)
      const { epochId } = segment.latest().get(anchor)!
      const [bare] = await Promise.all([
        run(segment, anchor, ['count', '19542', '8']),
        run(segment, 3, ['send', '19542', String(UNBOUNDED), '5', forged(epochId!, 60_001, (anchor + 1) % 3)]),
      ])
      const floods: [string, number][] = IS_WHOLE
        ? [
            ['half', bare.perSecond / 2],
            ['all', UNBOUNDED],
          ]
        : [['quarter', bare.perSecond / 4]]
      for (const [share, rate] of floods) {
        const before = segment.latest().get(anchor)!
        const beganMs = Date.now()
        const { sent, perSecond } = await run(segment, 3, [
          'send',
          String(PORT),
          String(rate),
          String(SECONDS),
          forged(epochId!, 60_002, (anchor + 1) % 3),
        ])
        await pause(1_000)
        const after = segment.latest().get(anchor)!
        const dropped = total(after.drops) - total(before.drops)
        const promotions = segment.promotions(beganMs).length
        console.table({
          [`${mode}, ${share}`]: {
            'bare/s': bare.perSecond,
            'sent/s': perSecond,
            sent,
            dropped,
            'lost %': Math.round((1_000 * (sent! - dropped)) / sent!) / 10,
            'CPU µs per drop': Math.round(((after.cpuMs! - before.cpuMs!) * 1_000) / dropped),
            promotions,
          },
        })
        if (share === 'all') continue
        expect(promotions).toBe(0)
        expect(segment.agreed()).toBe(anchor)
        expect(after.members).toBe(2)
        expect(dropped).toBeGreaterThan(1_000)
      }
    } finally {
      await segment.end()
      rmSync(folder, { recursive: true, force: true })
    }
  },
)

/** A pulse in the name of another member, of the epoch that is in use: dropped only once its MAC was computed. */
function forged(epochId: string, fill: number, member: number): string {
  const crypto = portable()
  const identity = createIdentity(crypto, new Uint8Array(32).fill(1 + member))
  const source = { address: new Uint8Array(16), port: PORT }
  const fields = {
    epochId: fromHex(epochId),
    boot: fill,
    sequence: 1,
    uptimeSeconds: 1,
    ego: 10,
    isAnchor: true,
    missed: 0,
  }
  const rest = { type: 'Agent', zoneHash: new Uint8Array(4), name: 'flood' } as const
  return toHex(signPulse(crypto, identity, source, new Uint8Array(32), { ...fields, ...rest }))
}

interface Counted {
  readonly perSecond: number
  readonly sent?: number
}

function run(segment: Segment, index: number, args: readonly string[]): Promise<Counted> {
  const { namespace } = segment.machines[index]!
  const child = spawn('ip', ['netns', 'exec', namespace, process.execPath, FLOOD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return new Promise((resolve) => child.stdout.on('data', (line) => resolve(JSON.parse(`${line}`))))
}

function total(drops: Readonly<Record<string, number>> = {}): number {
  return Object.values(drops).reduce((sum, count) => sum + count, 0)
}
