import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  decodeBundle,
  encodeBundle,
  Lane,
  type ProofBundle,
  proveEntry,
  type Receipt,
  statementOf,
} from '@nexus/anchoring'
import { type EvmProof, type EvmReceipt, openEvmReader, proofFault, provedBlock } from '@nexus/anchoring/evm'
import { verifyBundle } from '@nexus/anchoring/verify'
import { fromHex, toHex } from '@nexus/codec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { runVerify, VERIFY_EXIT } from '../src/node/cli/verify.ts'
import { type Anvil, hasAnvil } from './rig/anvil.ts'
import { ETHER, evmChain, queueOf } from './rig/evm-chain.ts'
import { crypto, folder, grow, openVault, random } from './rig/ledger.ts'

const PROOFS = Number(process.env['NEXUS_PROOFS'] ?? 60)

/** A ledger whose heads of 300, 600 and 900 entries a real chain confirmed. */
async function anchored() {
  const path = folder()
  const vault = await openVault(path)
  const chain = await evmChain(path, 2)
  const queue = queueOf(path, vault)
  const lane = new Lane(chain.adapter, queue, { dailyCap: ETHER, patienceMs: 60_000 })
  for (let at = 1; at <= 3; at++) {
    await grow(vault, 300)
    queue.enqueue(lane.chain, (await vault.head())!)
    await lane.step(at)
    await chain.anvil.mine(2)
    expect(await lane.step(at)).toMatchObject({ kind: 'confirmed' })
  }
  const prove = (index: number) => proveEntry(vault, queue, [lane.chain], index)
  return { ...chain, path, vault, prove, reader: await openEvmReader(chain.anvil.transport) }
}

describe.runIf(hasAnvil)('proofs of entries that a real chain anchors', () => {
  test(`${PROOFS} random entries hold at each level`, async () => {
    const { anvil, vault, prove, reader } = await anchored()
    const trustedBlocks = await canonicalBlocks(anvil)
    for (let count = 0; count < PROOFS; count++) {
      const index = new DataView(random(4).buffer).getUint32(0) % 900
      const bundle = decodeBundle(encodeBundle(await prove(index)))
      expect(bundle.entry.index).toBe(index)
      const trust = { trustedKey: vault.publicKey }
      expect(await verifyBundle(crypto, bundle, trust)).toMatchObject({ level: 'gateway-signed', contradicted: false })
      const read = await verifyBundle(crypto, bundle, { ...trust, readers: [reader] })
      expect(read).toMatchObject({ level: 'read-from-chain', contradicted: false })
      const proved = await verifyBundle(crypto, bundle, { ...trust, trustedBlocks })
      expect(proved).toMatchObject({ level: 'proved', contradicted: false })
    }
  })

  test('no forged proof holds', async () => {
    const { anvil, vault, prove, reader } = await anchored()
    const trustedBlocks = await canonicalBlocks(anvil)
    const trust = { trustedKey: vault.publicKey }
    const given = { 'read-from-chain': { readers: [reader] }, proved: { trustedBlocks } } as const
    const levels = ['read-from-chain', 'proved'] as const
    const honest = await prove(123)
    for (const level of levels) {
      expect(await verifyBundle(crypto, honest, { ...trust, ...given[level] })).toMatchObject({ level })
    }
    const forging = fc.asyncProperty(forgeries(honest, await prove(700)), async ({ forged, caught }) => {
      for (const level of levels.filter((each) => caught.includes(each))) {
        const found = await verifyBundle(crypto, forged, { ...trust, ...given[level] })
        expect(found.level === level && !found.contradicted, level).toBe(false)
      }
    })
    await fc.assert(forging, { numRuns: Number(process.env['NEXUS_FUZZ'] ?? 400) })
  })

  test('a contract of other code proves nothing, whatever it answers', async () => {
    const { anvil, vault, prove, reader } = await anchored()
    const bundle = await prove(5)
    // Answers every call with the root, and keeps it in the very slot.
    const root = toHex(bundle.head.root)
    const impostor = `0x${'11'.repeat(20)}`
    await anvil.rpc('anvil_setCode', impostor, `0x7f${root}60005260206000f3`)
    const [receipt] = bundle.receipts as [EvmReceipt]
    const forged = { ...bundle, receipts: [{ ...receipt, contract: fromHex(impostor.slice(2)) }] }
    await anvil.mine()
    const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', 'latest', false)
    const trustedBlocks = [fromHex(hash.slice(2))]
    const verification = await verifyBundle(crypto, forged, {
      trustedKey: vault.publicKey,
      readers: [reader],
      trustedBlocks,
    })
    expect(verification).toMatchObject({ level: 'gateway-signed', contradicted: true })
  })

  test('a head that the gateway signed and no chain holds stays at the first level', async () => {
    const { anvil, vault, prove, reader } = await anchored()
    await grow(vault, 1)
    const unanchored = await prove(900)
    expect(unanchored.receipts).toEqual([])
    const borrowed = { ...unanchored, receipts: (await prove(5)).receipts }
    const trustedBlocks = await canonicalBlocks(anvil)
    const verification = await verifyBundle(crypto, borrowed, { readers: [reader], trustedBlocks })
    expect(verification).toMatchObject({ level: 'gateway-signed', contradicted: true })
  })

  test('a proof is made anew for a later block that the reader trusts, by a server that needs no trust', async () => {
    const { anvil, prove, reader } = await anchored()
    await anvil.mine(5)
    const bundle = await prove(1)
    const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', 'latest', false)
    const block = fromHex(hash.slice(2))
    expect(await proofFault(bundle.receipts[0] as EvmReceipt, statementOf(bundle), block)).toBe('block')
    const verification = await verifyBundle(crypto, bundle, { readers: [reader], trustedBlocks: [block] })
    expect(verification).toMatchObject({
      level: 'proved',
      findings: [{ proof: { kind: 'holds', block: { hash: block } } }],
    })
  })

  test('nexus-verify says the level, and its exit code what it means', async () => {
    const { anvil, path, vault, prove } = await anchored()
    const bundle = await prove(42)
    const file = join(path, 'entry-42.json')
    writeFileSync(file, encodeBundle(bundle))
    const url = `http://127.0.0.1:${anvil.port}`
    const key = ['--key', toHex(vault.publicKey)]
    const block = toHex(provedBlock((bundle.receipts[0] as EvmReceipt).proof!)!.hash)

    expect(await run(file, ...key)).toMatchObject({ exit: VERIFY_EXIT.ok, level: 'gateway-signed' })
    expect(await run(file, ...key, '--rpc', url)).toMatchObject({ exit: VERIFY_EXIT.ok, level: 'read-from-chain' })
    expect(await run(file, ...key, '--block', block)).toMatchObject({ exit: VERIFY_EXIT.ok, level: 'proved' })
    expect(await run(file, '--level', 'proved')).toMatchObject({ exit: VERIFY_EXIT.refuted, holds: false })
    expect(await run(file, '--key', 'ab'.repeat(32))).toMatchObject({ exit: VERIFY_EXIT.refuted, fault: 'other-key' })
    expect(await run(file, '--block', 'ab'.repeat(32))).toMatchObject({ exit: VERIFY_EXIT.refuted })
    expect((await run(file, '--rpc', 'http://127.0.0.1:9')).exit).toBe(VERIFY_EXIT.unanswered)
    expect((await run(file, '--key', 'short')).exit).toBe(VERIFY_EXIT.usage)
    expect((await run(join(path, 'none.json'))).exit).toBe(VERIFY_EXIT.usage)
    writeFileSync(file, encodeBundle(bundle).replace('nexus-proof/1', 'nexus-proof/2'))
    expect((await run(file)).exit).toBe(VERIFY_EXIT.usage)

    const page = await words('--help')
    for (const word of ['gateway-signed', 'read-from-chain', 'proved', 'Exit codes', '--block'])
      expect(page).toContain(word)
  })
})

async function run(...args: string[]): Promise<{ exit: number; level?: string; holds?: boolean; fault?: string }> {
  let printed = ''
  const exit = await runVerify([...args, '--json'], { out: (text) => (printed += text), err: () => undefined })
  return { ...(printed.startsWith('{') && JSON.parse(printed)), exit }
}

async function words(...args: string[]): Promise<string> {
  let printed = ''
  await runVerify(args, { out: (text) => (printed += text), err: () => undefined })
  return printed
}

async function canonicalBlocks(anvil: Anvil): Promise<Uint8Array[]> {
  const height = Number(await anvil.rpc<string>('eth_blockNumber'))
  const blocks: Uint8Array[] = []
  for (let at = 0; at <= height; at++) {
    const { hash } = await anvil.rpc<{ hash: string }>('eth_getBlockByNumber', `0x${at.toString(16)}`, false)
    blocks.push(fromHex(hash.slice(2)))
  }
  return blocks
}

type Turn = (bytes: Uint8Array) => Uint8Array
type Forgery = (turn: Turn, at: number) => ProofBundle

/** Bundles that say something else than `honest`, one bit turned or a part of `other` in them, and who must see it. */
function forgeries(honest: ProofBundle, other: ProofBundle) {
  const { entry, head, inclusion } = honest
  const receipt = evm(honest)
  const proof = receipt.proof!
  const anywhere: Forgery[] = [
    (turn) => ({ ...honest, entry: { ...entry, id: turn(entry.id) } }),
    (turn) => ({ ...honest, entry: { ...entry, account: turn(entry.account) } }),
    (_, at) => ({ ...honest, entry: { ...entry, amount: entry.amount + 1n + BigInt(at) } }),
    (_, at) => ({ ...honest, entry: { ...entry, index: (entry.index + 1 + (at % 200)) % 300 } }),
    (turn, at) => ({ ...honest, inclusion: replaced(inclusion, at, turn) }),
    (_, at) => ({ ...honest, inclusion: inclusion.toSpliced(at % inclusion.length, 1) }),
    (turn) => ({ ...honest, head: { ...head, root: turn(head.root) } }),
    (turn) => ({ ...honest, head: { ...head, logId: turn(head.logId) } }),
    (turn) => ({ ...honest, head: { ...head, signature: turn(head.signature) } }),
    (_, at) => ({ ...honest, head: { ...head, size: head.size + 1 + at } }),
    (_, at) => ({ ...honest, head: { ...head, timeMs: head.timeMs + 1 + at } }),
    (turn) => ({ ...honest, publicKey: turn(honest.publicKey) }),
    (turn) => withReceipt(honest, { contract: turn(receipt.contract) }),
    (turn) => withReceipt(honest, { anchorer: turn(receipt.anchorer) }),
    () => withReceipt(honest, { chain: 'eip155:1', contract: new Uint8Array(20) }),
    () => ({ ...honest, receipts: other.receipts }),
    () => ({ ...other, receipts: honest.receipts }),
    () => ({ ...honest, head: other.head }),
    () => ({ ...honest, entry: other.entry }),
  ]
  const onChain: Forgery[] = [
    (turn) => withReceipt(honest, { transaction: turn(receipt.transaction) }),
    (turn) => withReceipt(honest, { block: { ...receipt.block, hash: turn(receipt.block.hash) } }),
    (_, at) => withReceipt(honest, { block: { ...receipt.block, number: receipt.block.number + 1 + (at % 999) } }),
    (_, at) => withReceipt(honest, { block: { ...receipt.block, timeMs: receipt.block.timeMs + 1 + at } }),
  ]
  const inState: Forgery[] = [
    (turn) => withProof(honest, { header: turn(proof.header) }),
    (turn, at) => withProof(honest, { account: replaced(proof.account, at, turn) }),
    (turn, at) => withProof(honest, { storage: replaced(proof.storage, at, turn) }),
    (_, at) => withProof(honest, { account: proof.account.toSpliced(at % proof.account.length, 1) }),
    (_, at) => withProof(honest, { storage: proof.storage.toSpliced(at % proof.storage.length, 1) }),
  ]
  const all = [
    ...anywhere.map((forge) => ({ forge, caught: ['read-from-chain', 'proved'] })),
    ...onChain.map((forge) => ({ forge, caught: ['read-from-chain'] })),
    ...inState.map((forge) => ({ forge, caught: ['proved'] })),
  ]
  return fc.tuple(fc.constantFrom(...all), fc.nat(), fc.nat(7)).map(([{ forge, caught }, at, bit]) => {
    const turn: Turn = (bytes) => bytes.map((byte, index) => (index === at % bytes.length ? byte ^ (1 << bit) : byte))
    return { forged: forge(turn, at), caught }
  })
}

function evm({ receipts }: { readonly receipts: readonly Receipt[] }): EvmReceipt {
  return receipts[0] as EvmReceipt
}

function withReceipt(bundle: ProofBundle, fields: Partial<EvmReceipt>): ProofBundle {
  return { ...bundle, receipts: [{ ...evm(bundle), ...fields }] }
}

function withProof(bundle: ProofBundle, fields: Partial<EvmProof>): ProofBundle {
  return withReceipt(bundle, { proof: { ...evm(bundle).proof!, ...fields } })
}

function replaced(list: readonly Uint8Array[], at: number, turn: Turn): Uint8Array[] {
  return list.map((bytes, index) => (index === at % list.length ? turn(bytes) : bytes))
}
