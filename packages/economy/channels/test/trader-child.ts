/** One party in a process of its own, on the node's real store: it is told what arrives, and says what it sends. */
import { fromHex, toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { openStore } from '../../../toolkit/node/src/driver/sqlite-store.ts'
import { Trader } from './trader.ts'

const [path, seed, peerKey] = [process.argv[2]!, fromHex(process.argv[3]!), fromHex(process.argv[4]!)]
const crypto = await nodeCrypto()
const { store } = openStore(path)
const trader = new Trader(crypto, systemRandom, seed, store, (_, bytes) => process.send!({ bytes: toHex(bytes) }))
const peerId = crypto.blake2b(peerKey).slice(0, 16)
const nowMs = () => performance.now()

process.on('message', (asked: { bytes?: string; win?: { id: number; price: number }; balance?: true }) => {
  if (asked.bytes !== undefined) trader.channels.receive(nowMs(), peerId, fromHex(asked.bytes))
  if (asked.win !== undefined) trader.win(nowMs(), peerId, asked.win.id, BigInt(asked.win.price))
  if (asked.balance === undefined) return
  trader.claimAll(nowMs(), peerId)
  const view = trader.channels.view(peerId)
  process.send!({
    owed: `${view?.owedMicro}`,
    pending: `${view?.pendingMicro}`,
    paid: `${trader.paidMicro}`,
    open: trader.openClaims,
  })
})
process.on('disconnect', () => process.exit(0))
setInterval(() => trader.channels.tick(nowMs()), 20)
trader.channels.linkUp(nowMs(), peerKey, 40)
trader.channels.open(nowMs(), peerId)
trader.claimAll(nowMs(), peerId)
process.send!({ started: true })
