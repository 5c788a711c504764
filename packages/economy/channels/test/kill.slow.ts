import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { decodeChannelMessage } from '@nexus/channels'
import { compareBytes, fromHex, toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { expect, test } from 'vitest'
import { signatureIn, Trader } from './trader.ts'
import { FragileStore } from './world.ts'

const crypto = await nodeCrypto()
const KILLS = Number(process.env['NEXUS_KILLS'] ?? 30)
const program = fileURLToPath(new URL('trader-child.ts', import.meta.url))

interface Balance {
  readonly owed: string
  readonly pending: string
  readonly paid: string
  readonly open: number
}

/** Sequence and signature of all that the killed side ever gave away: two for one sequence fail the test. */
class GivenAway {
  readonly #signatures = new Map<bigint, string>()
  readonly side: 'a' | 'b'
  constructor(side: 'a' | 'b') {
    this.side = side
  }

  note(bytes: Uint8Array): void {
    const given = signatureIn(decodeChannelMessage(bytes), this.side)
    if (given === undefined || /^0+$/.test(given.signature)) return
    const known = this.#signatures.get(given.sequence)
    assert.ok(known === undefined || known === given.signature, `sequence ${given.sequence} was signed twice`)
    this.#signatures.set(given.sequence, given.signature)
  }

  get count(): number {
    return this.#signatures.size
  }
}

test(
  `a node killed ${KILLS} times amid payments signs nothing twice and loses nothing`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nexus-channels-kill-'))
    const seeds = [systemRandom(32), systemRandom(32)] as const
    const killed = createIdentity(crypto, seeds[0])
    let child: ChildProcess | undefined
    const trader = new Trader(crypto, systemRandom, seeds[1], new FragileStore(), (_, bytes) => {
      if (child?.connected === true) child.send({ bytes: toHex(bytes) }, () => undefined)
    })
    const isKilledFirst = compareBytes(killed.nodeId, trader.identity.nodeId) < 0
    const givenAway = new GivenAway(isKilledFirst ? 'a' : 'b')
    const nowMs = () => performance.now()
    const ticking = setInterval(() => trader.channels.tick(nowMs()), 20)
    let claims = 0
    let balance: ((balance: Balance) => void) | undefined

    const start = async () => {
      const args = [join(folder, 'state.db'), toHex(seeds[0]), toHex(trader.identity.publicKey)]
      const next = fork(program, args, {
        execArgv: ['--conditions=nexus-source', '--disable-warning=ExperimentalWarning'],
      })
      trader.channels.linkDown(killed.nodeId)
      child = next
      // What was being written to it when it was killed.
      next.on('error', () => undefined)
      next.on('message', (said: { bytes?: string; owed?: string; started?: true }) => {
        if (next !== child) return
        if (said.owed !== undefined) balance?.(said as Balance)
        if (said.bytes === undefined) return
        const bytes = fromHex(said.bytes)
        givenAway.note(bytes)
        trader.channels.receive(nowMs(), killed.nodeId, bytes)
      })
      trader.channels.linkUp(nowMs(), killed.publicKey, 40)
      await once(next, 'message')
    }
    const trade = () => {
      child!.send({ win: { id: ++claims, price: 10 + (claims % 90) } }, () => undefined)
      trader.win(nowMs(), killed.nodeId, ++claims, BigInt(10 + (claims % 70)))
    }

    try {
      for (let kill = 0; kill < KILLS; kill++) {
        await start()
        const deadline = nowMs() + 20 + Math.random() * 150
        while (nowMs() < deadline) {
          trade()
          await wait(Math.random() * 8)
        }
        child!.kill('SIGKILL')
        await once(child!, 'exit')
      }
      await start()
      let last: Balance | undefined
      for (let turn = 0; turn < 1_200; turn++) {
        trader.claimAll(nowMs(), killed.nodeId)
        const asked = new Promise<Balance>((resolve) => {
          balance = resolve
        })
        child!.send({ balance: true })
        last = await asked
        if (last.open === 0 && trader.openClaims === 0 && last.pending === '0') break
        await wait(50)
      }
      expect(last?.open).toBe(0)
      expect(trader.openClaims).toBe(0)
      const view = trader.channels.view(killed.nodeId)!
      expect(view.pendingMicro).toBe(0n)
      // Nothing was lost, nothing counted twice: the balance is what each remembers to have paid.
      expect(BigInt(last!.owed)).toBe(trader.paidMicro - BigInt(last!.paid))
      expect(view.owedMicro).toBe(-BigInt(last!.owed))
      expect(givenAway.count).toBeGreaterThan(KILLS)
      console.log(
        `${KILLS} kills, ${claims} claims, ${givenAway.count} sequences signed by the killed side, 0 twice, 0 lost`,
      )
    } finally {
      clearInterval(ticking)
      child?.kill('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    }
  },
  120_000 + KILLS * 20_000,
)
