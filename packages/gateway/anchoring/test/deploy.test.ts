import { toHex } from '@nexus/codec'
import { keccak256, parseGwei, parseTransaction } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { describe, expect, onTestFinished, test } from 'vitest'
import { compileSolidity } from '../contracts/compile.ts'
import { DEPLOY_EXIT, runDeploy } from '../src/node/cli/deploy.ts'
import { Anvil, hasAnvil } from './rig/anvil.ts'
import { folder, random } from './rig/ledger.ts'

const OWNER = `0x${'ab'.repeat(20)}`
const FEES = ['--nonce', '0', '--max-fee', '20']

describe('nexus-deploy', () => {
  test.each(['1', '137', '324', '4689', '3338', '999999999'])('refuses chain %s without an audit', async (chain) => {
    expect(await run('StateAnchor', '--chain', chain, ...FEES)).toMatchObject({ exit: DEPLOY_EXIT.refused, out: '' })
    expect(await run('StateAnchor', '--chain', chain, ...FEES, '--audit', ' ')).toMatchObject({
      exit: DEPLOY_EXIT.refused,
    })
    const audited = await run('StateAnchor', '--chain', chain, ...FEES, '--audit', 'https://audits.example/7')
    expect(audited.exit).toBe(DEPLOY_EXIT.ok)
    expect(parseTransaction(audited.out.trim() as `0x${string}`)).toMatchObject({
      chainId: Number(chain),
      type: 'eip1559',
    })
  })

  test('refuses an owner too few, too many, or nobody', async () => {
    const on = ['--chain', '31337', ...FEES]
    expect((await run('PaymentProcessor', ...on)).exit).toBe(DEPLOY_EXIT.refused)
    expect((await run('StateAnchor', ...on, '--owner', OWNER)).exit).toBe(DEPLOY_EXIT.refused)
    expect((await run('UserRegistry', ...on, '--owner', `0x${'00'.repeat(20)}`)).exit).toBe(DEPLOY_EXIT.refused)
    expect((await run('UserRegistry', ...on, '--owner', 'ann')).exit).toBe(DEPLOY_EXIT.usage)
    expect((await run('Nothing', ...on)).exit).toBe(DEPLOY_EXIT.usage)
    expect((await run('--help')).out).toContain('Polygon Amoy')
  })

  test.runIf(hasAnvil)('what a wallet signs of it deploys the compiled code', async () => {
    const anvil = await Anvil.start(31_337, `${folder()}/chain.json`)
    onTestFinished(() => anvil.down())
    const account = privateKeyToAccount(`0x${toHex(random(32))}`)
    await anvil.rpc('anvil_setBalance', account.address, '0xde0b6b3a7640000')
    const compiled = compileSolidity()
    let nonce = 0
    for (const [name, owner] of [
      ['StateAnchor', []],
      ['UserRegistry', ['--owner', OWNER]],
      ['PaymentProcessor', ['--owner', OWNER]],
    ] as const) {
      const { out } = await run(
        name,
        '--chain',
        '31337',
        '--nonce',
        `${nonce++}`,
        '--max-fee',
        '20',
        '--json',
        ...owner,
      )
      const unsigned = parseTransaction(JSON.parse(out).unsigned)
      expect(unsigned).toMatchObject({ maxFeePerGas: parseGwei('20'), maxPriorityFeePerGas: parseGwei('1') })
      const hash = await anvil.rpc<string>('eth_sendRawTransaction', await account.signTransaction(unsigned as never))
      await anvil.mine()
      const receipt = await anvil.rpc<{ contractAddress: string; status: string }>('eth_getTransactionReceipt', hash)
      expect(receipt.status).toBe('0x1')
      const code = await anvil.rpc<`0x${string}`>('eth_getCode', receipt.contractAddress, 'latest')
      expect(keccak256(code)).toBe(keccak256(compiled[name].runtime))
    }
  })
})

async function run(...args: string[]): Promise<{ exit: number; out: string }> {
  let out = ''
  const exit = await runDeploy(args, { out: (text) => (out += text), err: () => undefined })
  return { exit, out }
}
