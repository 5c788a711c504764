import { STATE_ANCHOR_ABI } from '@nexus/anchoring/evm'
import { type Abi, encodeDeployData, encodeFunctionData, parseEther } from 'viem'
import { describe, expect, onTestFinished, test } from 'vitest'
import { compileSolidity } from '../contracts/compile.ts'
import { Anvil, hasAnvil } from './rig/anvil.ts'
import { folder } from './rig/ledger.ts'

const compiled = compileSolidity()

/** The most that each call may use; docs/results/anchoring.md has what each one does. */
const GAS_MAX = {
  'StateAnchor: deploy': 290_000,
  'anchor, first of a log': 75_000,
  'anchor, later': 58_000,
  'UserRegistry: deploy': 850_000,
  'register, DID of 56 bytes': 55_000,
  buyCredits: 35_000,
  'PaymentProcessor: deploy': 700_000,
  'subscribe, first': 55_000,
  'subscribe, extended': 35_000,
  'subscribe, other tier': 36_000,
  transferOwnership: 50_000,
  acceptOwnership: 35_000,
  withdraw: 35_000,
} as const

describe.runIf(hasAnvil)('gas on a real chain', () => {
  test('of each call is within its bound', async () => {
    const anvil = await Anvil.start(31_337, `${folder()}/chain.json`)
    onTestFinished(() => anvil.down())
    const [owner, heir] = (await anvil.rpc<string[]>('eth_accounts')) as [string, string]
    const used = new Map<string, number>()
    const send = async (what: keyof typeof GAS_MAX, transaction: Record<string, unknown>): Promise<string> => {
      const hash = await anvil.rpc<string>('eth_sendTransaction', { from: owner, ...transaction })
      await anvil.mine()
      const receipt = await anvil.rpc<Record<string, string>>('eth_getTransactionReceipt', hash)
      expect(receipt['status'], what).toBe('0x1')
      used.set(what, Number(receipt['gasUsed']))
      return receipt['contractAddress'] ?? ''
    }
    const deploy = (name: keyof typeof compiled, args: readonly unknown[] = []) => {
      const { abi, creation } = compiled[name]
      return send(`${name}: deploy`, { data: encodeDeployData({ abi: abi as Abi, bytecode: creation, args }) })
    }
    const call = (abi: readonly unknown[], functionName: string, args: readonly unknown[]) =>
      encodeFunctionData({ abi: abi as Abi, functionName, args })
    const coins = (text: string) => `0x${parseEther(text).toString(16)}`

    const anchor = await deploy('StateAnchor')
    const head = (size: bigint) =>
      call(STATE_ANCHOR_ABI, 'anchor', [`0x${'11'.repeat(16)}`, size, `0x${'22'.repeat(32)}`])
    await send('anchor, first of a log', { to: anchor, data: head(1_000n) })
    await send('anchor, later', { to: anchor, data: head(2_000n) })

    const { abi: users } = compiled.UserRegistry
    const registry = await deploy('UserRegistry', [owner])
    const did = `did:key:${'z6Mk'.padEnd(48, 'q')}`
    await send('register, DID of 56 bytes', { to: registry, data: call(users, 'register', [did]) })
    await send('buyCredits', { to: registry, data: call(users, 'buyCredits', [5n]), value: coins('0.005') })

    const { abi: payments } = compiled.PaymentProcessor
    const processor = await deploy('PaymentProcessor', [owner])
    const subscribe = (tier: number, value: string) => ({
      to: processor,
      data: call(payments, 'subscribe', [tier]),
      value: coins(value),
    })
    await send('subscribe, first', subscribe(1, '0.01'))
    await send('subscribe, extended', subscribe(1, '0.01'))
    await send('subscribe, other tier', subscribe(2, '0.1'))
    await send('transferOwnership', { to: processor, data: call(payments, 'transferOwnership', [heir]) })
    await send('acceptOwnership', { from: heir, to: processor, data: call(payments, 'acceptOwnership', []) })
    await send('withdraw', { from: heir, to: processor, data: call(payments, 'withdraw', []) })

    if (process.env['NEXUS_TABLE']) for (const [what, gas] of used) console.log(`| ${what} | ${gas} |`)
    for (const [what, most] of Object.entries(GAS_MAX)) {
      expect(used.get(what), what).toBeGreaterThan(20_000)
      expect(used.get(what), what).toBeLessThanOrEqual(most)
    }
  })
})
