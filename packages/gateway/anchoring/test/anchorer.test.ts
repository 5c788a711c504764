import type { ChainAdapter } from '@nexus/anchoring'
import { type AnchorEvent, Anchorer } from '@nexus/anchoring/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasAnvil } from './rig/anvil.ts'
import { ETHER, evmChain, queueOf } from './rig/evm-chain.ts'
import { folder, grow, openVault } from './rig/ledger.ts'
import { tonChain } from './rig/ton-chain.ts'
import { until } from './rig/until.ts'

const SCHEDULE = { everyEntries: 10, everyMs: 3_600_000 }

describe.runIf(hasAnvil)('an anchorer', () => {
  test('serves two EVM and two TON chains of which some are down, return, and are reorganised', async () => {
    const path = folder()
    const vault = await openVault(path)
    const queue = queueOf(path, vault)
    const [steady, flaky] = [await evmChain(path, 2, 31_337), await evmChain(path, 2, 31_338)]
    const [calm, shaky] = [await tonChain(-3), await tonChain(-217)]
    const events: AnchorEvent[] = []
    const chains = [steady, flaky, calm, shaky].map(({ adapter }) => {
      return { adapter, dailyCap: ETHER, patienceMs: 60_000, pollMs: 20 }
    })
    const report = (event: AnchorEvent) => events.push(event)
    const anchorer = new Anchorer({ vault, store: queue, chains, schedule: SCHEDULE, report })
    anchorer.start()
    onTestFinished(() => anchorer.stop())
    const clock = setInterval(() => {
      for (const { anvil } of [steady, flaky]) anvil.mine().catch(() => undefined)
      for (const { server } of [calm, shaky]) server.pass(5)
    }, 50)
    onTestFinished(() => clearInterval(clock))
    const confirmed = ({ adapter }: { adapter: ChainAdapter }) => queue.newestConfirmed(adapter.chain)?.head.size
    const all = (size: number) => [steady, flaky, calm, shaky].every((chain) => confirmed(chain) === size)

    await grow(vault, 10)
    await until(() => all(10))

    await flaky.anvil.down()
    await shaky.server.down()
    await grow(vault, 10)
    await until(() => confirmed(steady) === 20 && confirmed(calm) === 20)
    await until(() => anchorer.status().filter(({ fault }) => fault !== undefined).length === 2)
    // Nine entries are not due yet; the tenth is. What waits for a chain that is down is the newest alone.
    await grow(vault, 9)
    expect(queue.newest(steady.adapter.chain)?.size).toBe(20)
    await grow(vault, 1)
    await until(() => confirmed(steady) === 30 && confirmed(calm) === 30)
    expect([confirmed(flaky), confirmed(shaky)]).toEqual([10, 10])

    await flaky.anvil.up()
    await shaky.server.up()
    const before = { evm: await flaky.anvil.rpc<string>('evm_snapshot'), ton: shaky.server.snapshot() }
    await until(() => all(30))
    await flaky.anvil.rpc('evm_revert', before.evm)
    await shaky.server.setBack(before.ton)
    for (const { adapter } of [flaky, shaky]) {
      await until(() => events.some((event) => event.chain === adapter.chain && isRequeue(event)))
      await until(() => confirmed({ adapter }) === 30 && queue.open(adapter.chain).length === 0)
    }
    const { receipts } = await anchorer.prove(25)
    expect(receipts.map(({ chain }) => chain)).toEqual(['eip155:31337', 'eip155:31338', 'tvm:-217', 'tvm:-3'])
  })
})

function isRequeue(event: AnchorEvent): boolean {
  return event.kind === 'step' && event.step.kind === 'requeued'
}
