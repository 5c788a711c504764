import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AnchoringError, type ChainAdapter, type Receipt } from '@nexus/anchoring'
import { EvmChain } from '@nexus/anchoring/evm'
import { TonChain } from '@nexus/anchoring/node'
import { beginCell } from '@ton/core'
import fc from 'fast-check'
import { custom } from 'viem'
import { expect, onTestFinished, test } from 'vitest'
import { compileSolidity } from '../contracts/compile.ts'

const RUNS = Number(process.env['NEXUS_FUZZ'] ?? 300)
const secret = new Uint8Array(32).fill(7)
const statement = { logId: new Uint8Array(16).fill(1), size: 20, root: new Uint8Array(32).fill(2) }
const submission = { bytes: new Uint8Array(9), id: new Uint8Array(32).fill(3), sequence: 0, costMax: 1n, expiresMs: 1 }

/** What must be right for anything to be asked further. */
const KNOWN: Readonly<Record<string, unknown>> = {
  eth_chainId: '0x7a69',
  eth_getCode: compileSolidity().StateAnchor.runtime,
  getConfigParam: { config: { bytes: beginCell().storeInt(-3, 32).endCell().toBoc().toString('base64') } },
}

const hash = fc.constantFrom(`0x${'ab'.repeat(32)}`, `0x${'03'.repeat(32)}`)
const quantity = fc.constantFrom('0x0', '0x1', '0x7a69', '0xffffffffffffffff', `0x${'f'.repeat(64)}`)
const block = fc.record({ hash, number: quantity, timestamp: quantity, stateRoot: hash, baseFeePerGas: quantity })
const answer = fc.oneof(
  quantity,
  hash,
  block,
  fc.record({ blockHash: hash, blockNumber: quantity, status: quantity, gasUsed: quantity }),
  fc.record({ accountProof: fc.array(hash), storageProof: fc.array(fc.record({ proof: fc.array(hash) })) }),
  fc.array(fc.record({ transactionHash: hash, data: hash })),
  fc.jsonValue(),
)
const cell = fc.constantFrom(
  beginCell().storeUint(1, 32).endCell().toBoc().toString('base64'),
  beginCell()
    .storeUint(0, 256)
    .storeRef(beginCell().storeRef(beginCell().endCell()).endCell())
    .endCell()
    .toBoc()
    .toString('base64'),
  'AAAA',
  '!',
)
const tonAnswer = fc.oneof(
  fc.record({
    balance: fc.constantFrom('5', 7, '-1', 'x', ''),
    state: fc.constantFrom('active', 'uninitialized', 'frozen', 'odd'),
    data: cell,
    sync_utime: fc.constantFrom(0, 9, 2 ** 53, -1, 1.5),
  }),
  fc.array(fc.record({ data: cell }), { maxLength: 3 }),
  fc.jsonValue(),
)

test('whatever an EVM server answers, the adapter answers or says that it did not', async () => {
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(answer), async (answers) => {
      const transport = custom({
        request: async ({ method }) => KNOWN[method] ?? answers.next().value,
      })
      const contract = new Uint8Array(20)
      const chain = new EvmChain({ chainId: 31_337, transport, contract, secret, depth: 3 })
      const block = { number: 1, hash: new Uint8Array(32).fill(0xab), timeMs: 1_000 }
      const transaction = new Uint8Array(32)
      await exercise(chain, { kind: 'evm', chain: chain.chain, contract, anchorer: contract, transaction, block })
    }),
    { numRuns: RUNS },
  )
})

test('whatever a TON server answers, the adapter answers or says that it did not', async () => {
  let answers: Iterator<unknown> | undefined
  const server = createServer((_, response) =>
    response.end(JSON.stringify({ ok: true, result: answers?.next().value })),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  await fc.assert(
    fc.asyncProperty(fc.infiniteStream(tonAnswer), async (stream) => {
      answers = stream
      const chain = new TonChain({ globalId: -3, server: { url }, seed: secret, settleSeconds: 1 })
      const contract = `0:${'00'.repeat(32)}`
      const transaction = { hash: new Uint8Array(32), lt: 1n }
      await exercise(chain, {
        kind: 'ton',
        chain: 'tvm:-3',
        contract,
        anchorer: chain.anchorer,
        transaction,
        timeMs: 1,
      })
    }),
    { numRuns: Math.ceil(RUNS / 3) },
  )
})

async function exercise(chain: ChainAdapter, receipt: Receipt): Promise<void> {
  const calls = [
    () => chain.sign(statement, 10n ** 30n),
    () => chain.submit(submission),
    () => chain.confirm(submission, statement),
    () => chain.verify(receipt, statement),
  ]
  for (const call of calls) {
    try {
      await call()
    } catch (fault) {
      expect(fault).toBeInstanceOf(AnchoringError)
    }
  }
}
