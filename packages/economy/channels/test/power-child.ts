/** Two parties on stores of their own in one folder; each notes what leaves it in a file, and in the end kills all. */
import { openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { decodeChannelMessage } from '@nexus/channels'
import { nodeCrypto } from '@nexus/crypto/node'
import { openStore } from '../../../toolkit/node/src/driver/sqlite-store.ts'
import { twoParties, twoSeeds } from './parties.ts'
import { signatureIn, Trader } from './trader.ts'
import { seededRandom } from './world.ts'

const [folder, turns] = [process.argv[2]!, Number(process.argv[3])]
const crypto = await nodeCrypto()
const random = seededRandom(crypto, 'power')
const left = openSync(join(folder, 'left'), 'a')
const wire: (() => void)[] = []
const seeds = twoSeeds(crypto)
const keys = twoParties(crypto)

const traders = (['a', 'b'] as const).map((side) => {
  const { store } = openStore(join(folder, `${side}.db`))
  return new Trader(crypto, random, seeds[side], store, (_, bytes) => {
    const given = signatureIn(decodeChannelMessage(bytes), side)
    if (given !== undefined) writeSync(left, `${side} ${given.sequence} ${given.signature}\n`)
    wire.push(() => traders[side === 'a' ? 1 : 0]!.channels.receive(nowMs, keys[side].nodeId, bytes))
  })
}) as [Trader, Trader]
let nowMs = 0
for (const [n, trader] of traders.entries())
  trader.channels.linkUp(nowMs, n === 0 ? keys.b.publicKey : keys.a.publicKey, 1_000)
traders[0].channels.open(nowMs, keys.b.nodeId)
for (let turn = 0; turn < turns; turn++) {
  nowMs += 1_000
  const payee = turn % 2
  traders[payee]!.win(nowMs, payee === 0 ? keys.b.nodeId : keys.a.nodeId, turn, BigInt(10 + turn))
  for (const trader of traders) trader.channels.tick(nowMs)
  for (let next = wire.shift(); next !== undefined; next = wire.shift()) next()
}
process.kill(process.pid, 'SIGKILL')
