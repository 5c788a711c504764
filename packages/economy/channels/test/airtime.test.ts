import assert from 'node:assert/strict'
import { nodeCrypto } from '@nexus/crypto/node'
import { padBytesFor } from '@nexus/link'
import { encodeClaim, encodeLotteryMessage, reward } from '@nexus/vrf-lottery'
import { test } from 'vitest'
import { begin } from './runs.ts'
import type { Party } from './world.ts'

const crypto = await nodeCrypto()

const LINK_BPS = 1_000
const DAY_MS = 86_400_000
/** 484 bytes of packet, 1 of type, 23 of header and tag. */
const FULL_FRAME_BYTES = 508
const WINDOW_FRAMES = 256
/** About 5 μNXS for a full packet: 10 856 μNXS per MiB. */
const COST = 214

/** What a message of link type 4 takes on radio: padded to 32, with header and tag. */
function frameBytes(body: Uint8Array): number {
  const plaintextBytes = 1 + body.length
  return 7 + plaintextBytes + padBytesFor(plaintextBytes, 485) + 16
}

test('channel and lottery take less than 0.5 % of a link of 1 kbit/s that is full for 24 hours', () => {
  const world = begin(crypto, 'a day', 2)
  const [relay, payer] = world.parties as [Party, Party]
  for (const party of world.parties) {
    party.channels.reconciled()
    party.limitMicro = 20_000n
    party.restart()
  }
  world.runFor(5_000)
  let overheadBytes = 0
  for (const party of world.parties) {
    party.tampers = (_, bytes) => {
      overheadBytes += frameBytes(bytes)
      return [bytes]
    }
  }
  world.link(relay, payer)
  // n = 10 × packets a minute.
  const odds = Math.round((10 * (LINK_BPS / 8) * 60) / FULL_FRAME_BYTES)
  const priceOfWin = reward(484, odds, COST)
  payer.judges = (_, priceMicro) => ({ payMicro: priceMicro })
  const windowMs = (WINDOW_FRAMES * FULL_FRAME_BYTES * 8_000) / LINK_BPS
  const windows = Math.floor(DAY_MS / windowMs)
  let wins = 0
  for (let window = 0; window < windows; window++) {
    const series = new Uint8Array(4)
    const body16 = new Uint8Array(16)
    overheadBytes += frameBytes(
      encodeLotteryMessage({ kind: 'reveal', series, window, secret: body16, commit: body16 }),
    )
    overheadBytes += frameBytes(encodeLotteryMessage({ kind: 'odds', series, window: window + 2, odds }))
    const offsets = Array.from({ length: WINDOW_FRAMES }, (_, at) => at).filter(() => world.chance() < 1 / odds)
    wins += offsets.length
    if (offsets.length > 0) {
      const claim = encodeClaim([{ series, window, offsets, proof: world.random(80) }])
      const priceMicro = priceOfWin * BigInt(offsets.length)
      relay.channels.claim(world.nowMs, payer.nodeId, modelClaim(claim, window, priceMicro), priceMicro, 100n)
    }
    world.runFor(windowMs, 100_000)
  }
  world.runFor(60_000)
  const share = overheadBytes / ((LINK_BPS / 8) * (DAY_MS / 1_000))
  assert.ok(relay.earnings.length > 0.7 * windows && wins > windows, `${relay.earnings.length} updates, ${wins} wins`)
  assert.ok(world.ledger.applied.length >= 3, `${world.ledger.applied.length} settlements`)
  assert.ok(share < 0.005, `${(100 * share).toFixed(3)} %`)
  assert.ok(share > 0.003, 'less than the messages can take')
})

/** The claim as long as it is, its head read by the model lottery of these tests. */
function modelClaim(claim: Uint8Array, id: number, priceMicro: bigint): Uint8Array {
  const body = claim.slice()
  const view = new DataView(body.buffer)
  view.setUint32(0, 1_000_000 + id, true)
  view.setBigUint64(4, priceMicro, true)
  return body
}
