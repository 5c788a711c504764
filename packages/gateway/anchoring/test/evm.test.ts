import { join } from 'node:path'
import { bundleFault, Lane, proveEntry, statementOf } from '@nexus/anchoring'
import { EvmChain, proofFault } from '@nexus/anchoring/evm'
import { SqliteQueue } from '@nexus/anchoring/sqlite'
import { fromHex, toHex } from '@nexus/codec'
import { custom, http } from 'viem'
import { describe, expect, test } from 'vitest'
import { hasAnvil } from './rig/anvil.ts'
import { ETHER, evmChain, queueOf } from './rig/evm-chain.ts'
import { crypto, folder, grow, openVault } from './rig/ledger.ts'

const LIMITS = { dailyCap: ETHER, patienceMs: 60_000 }

async function start(depth: number, entries = 20) {
  const path = folder()
  const vault = await openVault(path)
  await grow(vault, entries)
  const chain = await evmChain(path, depth)
  const queue = queueOf(path, vault)
  const lane = new Lane(chain.adapter, queue, LIMITS)
  queue.enqueue(lane.chain, (await vault.head())!)
  return { ...chain, path, vault, queue, lane }
}

describe.runIf(hasAnvil)('a real EVM chain', () => {
  test('a head is anchored, confirmed at its depth, and proved against the block', async () => {
    const { anvil, adapter, vault, queue, lane } = await start(3)
    expect(await lane.step(1)).toEqual({ kind: 'sent', size: 20 })
    expect(await lane.step(2)).toEqual({ kind: 'waits', size: 20, depth: 0 })
    await anvil.mine()
    expect(await lane.step(3)).toEqual({ kind: 'waits', size: 20, depth: 1 })
    await anvil.mine(2)
    expect(await lane.step(4)).toEqual({ kind: 'confirmed', size: 20 })
    expect(await lane.step(5)).toEqual({ kind: 'idle' })

    const bundle = await proveEntry(vault, queue, [lane.chain], 7)
    expect(bundleFault(crypto, bundle, vault.publicKey)).toBeUndefined()
    const [receipt] = bundle.receipts
    if (receipt?.kind !== 'evm') throw new Error('no receipt of an EVM chain')
    expect(await adapter.verify(receipt, statementOf(bundle))).toMatchObject({ kind: 'holds' })
    const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByHash', `0x${toHex(receipt.block.hash)}`, false)
    expect(await proofFault(receipt, statementOf(bundle), fromHex(hash.slice(2)))).toBeUndefined()
  })

  test('a submission that a reorganisation takes out is sent again, the same bytes', async () => {
    const { anvil, queue, lane } = await start(3)
    const before = await anvil.rpc<string>('evm_snapshot')
    await lane.step(1)
    await anvil.mine()
    expect(await lane.step(2)).toMatchObject({ depth: 1 })
    const [signed] = queue.open(lane.chain)[0]!.attempts
    await anvil.rpc('evm_revert', before)
    await anvil.mine(2)
    expect(await lane.step(3)).toEqual({ kind: 'waits', size: 20, depth: 0 })
    await anvil.mine(3)
    expect(await lane.step(4)).toEqual({ kind: 'confirmed', size: 20 })
    expect(queue.newestConfirmed(lane.chain)?.attempts).toEqual([signed])
  })

  test('what was signed before a crash is what is sent after it, and nothing is signed twice', async () => {
    const { anvil, path, vault, queue, secret } = await start(1)
    const { port } = anvil
    const request = ({ method, params }: { method: string; params?: unknown }) => {
      if (method === 'eth_sendRawTransaction') throw new Error('the power went')
      return anvil.rpc(method, ...(params as unknown[]))
    }
    const options = { chainId: 31_337, contract: anvil.contract, secret, depth: 1 }
    const dying = new Lane(new EvmChain({ ...options, transport: custom({ request }) }), queue, LIMITS)
    await expect(dying.step(1)).rejects.toMatchObject({ detail: { code: 'anchoring/chain' } })
    const [signed] = queue.open(dying.chain)[0]!.attempts
    queue.close()

    const again = new SqliteQueue(join(path, 'queue.db'), vault)
    const alive = new Lane(new EvmChain({ ...options, transport: http(`http://127.0.0.1:${port}`) }), again, LIMITS)
    expect(await alive.step(2)).toEqual({ kind: 'waits', size: 20, depth: 0 })
    await anvil.mine()
    expect(await alive.step(3)).toEqual({ kind: 'confirmed', size: 20 })
    expect(again.newestConfirmed(alive.chain)?.attempts).toEqual([signed])
    again.close()
  })

  test('a reorganisation deeper than the depth takes the confirmation back', async () => {
    const { anvil, vault, queue, lane } = await start(2)
    await lane.step(1)
    await anvil.mine(2)
    expect(await lane.step(2)).toEqual({ kind: 'confirmed', size: 20 })
    await grow(vault, 5)
    queue.enqueue(lane.chain, (await vault.head())!)
    await lane.step(3)
    await anvil.mine(2)
    expect(await lane.step(4)).toEqual({ kind: 'confirmed', size: 25 })
    // Both anchors' blocks are replaced by empty ones, and their transactions are gone with them.
    const blocks = Number(await anvil.rpc<string>('eth_blockNumber')) - 1
    await anvil.rpc('anvil_reorg', blocks, [])
    expect(await lane.step(5)).toEqual({ kind: 'requeued', size: 25 })
    expect(await lane.step(6)).toEqual({ kind: 'requeued', size: 20 })
    expect(await lane.step(7)).toMatchObject({ kind: 'waits' })
    expect(queue.open(lane.chain).map(({ head }) => head.size)).toEqual([20, 25])
    await anvil.mine(2)
    await lane.step(8)
    expect(queue.open(lane.chain)).toEqual([])
    expect(queue.record(lane.chain).confirmed).toBe(2)
  })

  test('a submission that nobody includes is replaced by one that pays more', async () => {
    const { anvil, queue, lane } = await start(1)
    await lane.step(0)
    await lane.step(LIMITS.patienceMs)
    const attempts = queue.open(lane.chain)[0]!.attempts
    expect(attempts.map(({ sequence }) => sequence)).toEqual([0, 0])
    expect(attempts[1]!.costMax).toBeGreaterThan((attempts[0]!.costMax * 9n) / 8n)
    expect(queue.spent(lane.chain, 0)).toBe(attempts[1]!.costMax)
    await anvil.mine()
    expect(await lane.step(LIMITS.patienceMs + 1)).toEqual({ kind: 'confirmed', size: 20 })
    const spent = queue.spent(lane.chain, 0)
    expect(spent).toBeGreaterThan(0n)
    expect(spent).toBeLessThan(attempts[1]!.costMax)
  })

  test('nothing is signed above the cap', async () => {
    const { adapter, queue, lane } = await start(1)
    const poor = new Lane(adapter, queue, { ...LIMITS, dailyCap: 1n })
    await expect(poor.step(0)).rejects.toMatchObject({ detail: { code: 'anchoring/cap', left: 1n } })
    expect(queue.open(lane.chain)).toEqual([])
    expect(queue.waiting(lane.chain)?.size).toBe(20)
  })

  test('a sequence that went to another transaction lets the head wait again', async () => {
    const { anvil, adapter, vault, queue, lane } = await start(1)
    await lane.step(1)
    await anvil.mine()
    await lane.step(2)
    await grow(vault, 1)
    const head = (await vault.head())!
    queue.enqueue(lane.chain, head)
    await lane.step(3)
    // The account writes a larger size by itself, in the transaction before.
    const foreign = await adapter.sign({ ...head, size: 99 }, ETHER)
    const [ours] = queue.open(lane.chain)
    await anvil.rpc('anvil_dropTransaction', `0x${toHex(ours!.attempts[0]!.id)}`)
    await adapter.submit(foreign)
    await anvil.mine()
    expect(await lane.step(4)).toEqual({ kind: 'requeued', size: 21 })
    await expect(lane.step(5)).rejects.toMatchObject({ detail: { code: 'anchoring/not-grown' } })
    expect(queue.waiting(lane.chain)?.size).toBe(21)
  })

  test('a server of another chain, and a contract of other code, are found out before anything is signed', async () => {
    const { anvil, adapter, queue, secret } = await start(1)
    const options = { chainId: 31_337, transport: anvil.transport, contract: anvil.contract, secret, depth: 1 }
    const head = queue.waiting(adapter.chain)!
    const elsewhere = new EvmChain({ ...options, chainId: 1 })
    await expect(elsewhere.sign(head, ETHER)).rejects.toMatchObject({ detail: { code: 'anchoring/wrong-chain' } })
    const nothing = new EvmChain({ ...options, contract: new Uint8Array(20) })
    await expect(nothing.sign(head, ETHER)).rejects.toMatchObject({ detail: { code: 'anchoring/contract' } })
  })
})
