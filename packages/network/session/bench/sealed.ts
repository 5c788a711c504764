// Sealed packets per second, end to end: node --conditions=nexus-source packages/network/session/bench/sealed.ts
import { cpus } from 'node:os'
import { type Crypto, portable, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { CONTEXT, packetData } from '@nexus/framing'
import { createIdentity } from '@nexus/identity'
import {
  decodeContent,
  MODE,
  openBox,
  type SignedContent,
  StreamCrypter,
  sealBox,
  signContent,
  verifyContent,
} from '@nexus/session'

const SECONDS = 2

function rate(run: (round: number) => void): number {
  for (let round = 0; round < 50; round++) run(round)
  const startMs = performance.now()
  let rounds = 0
  while (performance.now() - startMs < SECONDS * 1_000) for (let batch = 0; batch < 20; batch++) run(rounds++)
  return rounds / ((performance.now() - startMs) / 1_000)
}

function measure(crypto: Crypto): void {
  const [ann, ben] = [createIdentity(crypto, systemRandom(32)), createIdentity(crypto, systemRandom(32))]
  const body = systemRandom(312)
  const seal = (id: bigint) => {
    const ephemeral = crypto.ephemeralKey(systemRandom)
    const content = { mode: MODE.signed, id, body }
    const plaintext = signContent(crypto, ann, content, ben.nodeId, ephemeral.publicKey)
    return sealBox(crypto, ephemeral, ben.agreementKey, ben.nodeId, CONTEXT.SEALED, plaintext)
  }
  const boxes = Array.from({ length: 64 }, (_, id) => seal(BigInt(id)))
  const open = (round: number) => {
    const opened = openBox(crypto, ben, CONTEXT.SEALED, boxes[round % boxes.length]!)!
    const content = decodeContent(opened.plaintext) as SignedContent
    if (!verifyContent(crypto, content, ben.nodeId, opened.ephemeral)) throw new Error('the signature must hold')
  }
  const keys = { sendKey: systemRandom(32), receiveKey: systemRandom(32) }
  const sender = new StreamCrypter(crypto, keys, 1, ben.nodeId, ann.nodeId)
  const back = { sendKey: keys.receiveKey, receiveKey: keys.sendKey }
  const receiver = new StreamCrypter(crypto, back, 1, ann.nodeId, ben.nodeId)
  const segment = systemRandom(441)
  const figures = {
    'messages sealed and signed': rate((round) => seal(BigInt(round))),
    'messages opened and verified': rate(open),
    'stream packets sealed': rate((round) => sender.seal(round, segment)),
    'stream packets sealed and opened': rate((round) => receiver.open(packetData(sender.seal(round, segment)))),
  }
  for (const [name, perSecond] of Object.entries(figures)) {
    console.log(`${crypto.name.padEnd(24)} ${name.padEnd(36)} ${Math.round(perSecond).toLocaleString('en')}/s`)
  }
}

console.log(`${cpus()[0]?.model}, Node ${process.version}, one core, 484-byte packets`)
measure(await nodeCrypto())
measure(portable())
