import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundleFault, decodeBundle, encodeBundle, Lane, proveEntry, statementOf } from '@nexus/anchoring'
import { anchorAddress, openTonReader, TonChain } from '@nexus/anchoring/node'
import { verifyBundle } from '@nexus/anchoring/verify'
import { Address, beginCell } from '@ton/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { TON_PAGES_MAX } from '../src/limits.ts'
import { runVerify, VERIFY_EXIT } from '../src/node/cli/verify.ts'
import { queueOf } from './rig/evm-chain.ts'
import { crypto, folder, grow, openVault } from './rig/ledger.ts'
import { TON, tonChain } from './rig/ton-chain.ts'

const LIMITS = { dailyCap: TON, patienceMs: 60_000 }
const GLOBAL_ID = -3

async function start(settleSeconds = 10, entries = 20) {
  const path = folder()
  const vault = await openVault(path)
  await grow(vault, entries)
  const { server, adapter, seed } = await tonChain(GLOBAL_ID, settleSeconds)
  const queue = queueOf(path, vault)
  const lane = new Lane(adapter, queue, LIMITS)
  queue.enqueue(lane.chain, (await vault.head())!)
  const contract = anchorAddress(Address.parseRaw(adapter.anchorer), vault.logId).toRawString()
  return { vault, server, adapter, queue, lane, contract, seed }
}

describe('a TON chain', () => {
  test('a head is anchored, which deploys its contract, and read back; a second one too', async () => {
    const { vault, server, adapter, queue, lane, contract } = await start()
    expect(await lane.step(1)).toEqual({ kind: 'sent', size: 20 })
    expect(await lane.step(2)).toEqual({ kind: 'waits', size: 20, depth: 0 })
    server.pass(10)
    expect(await lane.step(3)).toEqual({ kind: 'confirmed', size: 20 })
    expect((await server.runGet(contract, 'head'))[0]).toBe(20n)

    await grow(vault, 5)
    queue.enqueue(lane.chain, (await vault.head())!)
    expect(await lane.step(4)).toEqual({ kind: 'sent', size: 25 })
    server.pass(10)
    expect(await lane.step(5)).toEqual({ kind: 'confirmed', size: 25 })
    const spent = queue.spent(lane.chain, 0)
    expect(spent).toBeGreaterThan(0n)
    expect(spent).toBeLessThan(TON / 20n)

    // The first head is read from the transaction that wrote it, though the contract holds a larger one since.
    for (const index of [3, 23]) {
      const bundle = decodeBundle(encodeBundle(await proveEntry(vault, queue, [lane.chain], index)))
      expect(bundle.head.size).toBe(index < 20 ? 20 : 25)
      expect(bundleFault(crypto, bundle, vault.publicKey)).toBeUndefined()
      expect(await adapter.verify(bundle.receipts[0]!, statementOf(bundle))).toMatchObject({ kind: 'holds' })
      const readers = [await openTonReader(server)]
      expect(await verifyBundle(crypto, bundle, { readers })).toMatchObject({
        level: 'read-from-chain',
        contradicted: false,
      })
    }
  })

  test('nexus-verify reads it', async () => {
    const { vault, server, queue, lane } = await start(0)
    await lane.step(1)
    await lane.step(2)
    const file = join(folder(), 'entry.json')
    writeFileSync(file, encodeBundle(await proveEntry(vault, queue, [lane.chain], 3)))
    let printed = ''
    const output = { out: (text: string) => (printed += text), err: (text: string) => (printed += text) }
    expect(await runVerify([file, '--ton', server.url], output)).toBe(VERIFY_EXIT.ok)
    expect(printed).toContain('HOLDS  level read-from-chain')
    expect(printed).toContain('tvm:-3 holds the head since')
    await server.down()
    expect(await runVerify([file, '--ton', server.url], output)).toBe(VERIFY_EXIT.unanswered)
  })

  test('no forged receipt is read as one', async () => {
    const { vault, server, queue, lane } = await start(0)
    await lane.step(1)
    await lane.step(2)
    await grow(vault, 5)
    queue.enqueue(lane.chain, (await vault.head())!)
    await lane.step(3)
    await lane.step(4)
    const first = await proveEntry(vault, queue, [lane.chain], 3)
    const second = await proveEntry(vault, queue, [lane.chain], 23)
    const [receipt, later] = [first.receipts[0]!, second.receipts[0]!]
    if (receipt.kind !== 'ton' || later.kind !== 'ton') throw new Error('no receipt of a TON chain')
    const readers = [await openTonReader(server)]
    const [kind, hash] = receipt.contract.split(':') as [string, string]
    const turned = (hex: string, at: number) => hex.slice(0, at) + (hex[at] === '0' ? '1' : '0') + hex.slice(at + 1)
    const forging = fc.asyncProperty(fc.nat(63), fc.nat(7), async (at, which) => {
      const bytes = receipt.transaction.hash.map((byte, index) => (index === at % 32 ? byte ^ 1 : byte))
      const forged = [
        { ...receipt, contract: `${kind}:${turned(hash, at)}` },
        { ...receipt, anchorer: `${kind}:${turned(receipt.anchorer.slice(2), at)}` },
        { ...receipt, transaction: { ...receipt.transaction, hash: bytes } },
        { ...receipt, transaction: { ...receipt.transaction, lt: receipt.transaction.lt + 1n + BigInt(at) } },
        { ...receipt, timeMs: receipt.timeMs + 1 + at },
        { ...receipt, transaction: later.transaction },
        { ...later, timeMs: receipt.timeMs },
        later,
      ]
      const found = await verifyBundle(crypto, { ...first, receipts: [forged[which]!] }, { readers })
      expect(found).toMatchObject({ level: 'gateway-signed', contradicted: true })
    })
    await fc.assert(forging, { numRuns: 60 })
    const other = await verifyBundle(crypto, { ...second, receipts: [receipt] }, { readers })
    expect(other).toMatchObject({ level: 'gateway-signed', contradicted: true })
  })

  test('what a set-back chain forgot is sent again, the same bytes', async () => {
    const { server, queue, lane } = await start()
    const before = server.snapshot()
    await lane.step(1)
    const signed = queue.open(lane.chain)[0]!.attempts
    server.pass(10)
    expect(await lane.step(2)).toEqual({ kind: 'confirmed', size: 20 })
    await server.setBack(before)
    expect(await lane.step(3)).toEqual({ kind: 'requeued', size: 20 })
    expect(await lane.step(4)).toEqual({ kind: 'waits', size: 20, depth: 0 })
    server.pass(10)
    expect(await lane.step(5)).toEqual({ kind: 'confirmed', size: 20 })
    expect(queue.newestConfirmed(lane.chain)?.attempts).toEqual(signed)
  })

  test('a submission whose time is over is signed anew', async () => {
    const { server, queue, lane } = await start(0)
    const before = server.snapshot()
    await lane.step(1)
    const [expired] = queue.open(lane.chain)[0]!.attempts
    await server.setBack(before)
    server.pass(301)
    expect(await lane.step(2)).toEqual({ kind: 'requeued', size: 20 })
    expect(await lane.step(3)).toEqual({ kind: 'sent', size: 20 })
    expect(queue.open(lane.chain)[0]!.attempts[0]!.bytes).not.toEqual(expired!.bytes)
    expect(await lane.step(4)).toEqual({ kind: 'confirmed', size: 20 })
  })

  test.each(['wallet', 'contract'])('a %s that strangers flood hides no anchor that was paid for', async (flooded) => {
    const { server, adapter, lane, contract } = await start()
    await lane.step(1)
    const address = flooded === 'wallet' ? adapter.anchorer : contract
    for (let sent = 0; sent < 65; sent++) {
      await server.sendAs('stranger', address, TON / 100n, beginCell().storeUint(0, 32).endCell())
    }
    server.pass(5)
    // Past the lane's patience too, where it asks for a replacement.
    expect(await lane.step(1 + LIMITS.patienceMs)).toEqual({ kind: 'waits', size: 20, depth: 5 })
    server.pass(5)
    expect(await lane.step(2 + LIMITS.patienceMs)).toEqual({ kind: 'confirmed', size: 20 })
  })

  test('a flood past the pages that are read is a fault, and gives nothing up', async () => {
    const { server, adapter, queue, lane } = await start()
    await lane.step(1)
    server.flood(adapter.anchorer, 64 * TON_PAGES_MAX)
    await expect(lane.step(2)).rejects.toMatchObject({ detail: { code: 'anchoring/chain' } })
    expect(queue.open(lane.chain)).toHaveLength(1)
  })

  test('a replacement is signed though the contract holds the head', async () => {
    const { adapter, queue, lane, vault } = await start()
    await lane.step(1)
    const [first] = queue.open(lane.chain)[0]!.attempts
    expect((await adapter.sign((await vault.head())!, TON, first)).sequence).toBe(first!.sequence)
  })

  test('the contract takes growing heads from its owner alone', async () => {
    const { server, adapter, queue, lane, contract, vault } = await start(0)
    await lane.step(1)
    await lane.step(2)
    const body = (op: number, size: bigint, root: bigint) =>
      beginCell().storeUint(op, 32).storeUint(0, 64).storeUint(size, 64).storeUint(root, 256).endCell()
    await server.sendAs('stranger', contract, TON, body(0x616e6368, 99n, 1n))
    expect((await server.runGet(contract, 'head'))[0]).toBe(20n)
    // A plain payment is kept: it pays rent.
    await server.sendAs('stranger', contract, TON, beginCell().endCell())
    expect((await server.runGet(contract, 'head'))[0]).toBe(20n)
    const head = (await vault.head())!
    for (const size of [1, 19, 20]) {
      await expect(adapter.sign({ ...head, size }, TON)).rejects.toMatchObject({
        detail: { code: 'anchoring/not-grown' },
      })
    }
    expect(queue.spent(lane.chain, 0)).toBeLessThan(TON / 20n)
  })

  test('another chain, and a cap too low, are found out before anything is signed', async () => {
    const { server, seed, adapter, vault } = await start()
    const head = (await vault.head())!
    const elsewhere = new TonChain({ globalId: -239, server, seed, settleSeconds: 0 })
    await expect(elsewhere.sign(head, TON)).rejects.toMatchObject({ detail: { code: 'anchoring/wrong-chain' } })
    await expect(adapter.sign(head, 1n)).rejects.toMatchObject({ detail: { code: 'anchoring/cap' } })
  })
})
