import { type AnchorEvent, Anchorer } from '@nexus/anchoring/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hasAnvil } from './rig/anvil.ts'
import { ETHER, evmChain, queueOf } from './rig/evm-chain.ts'
import { folder, grow, openVault } from './rig/ledger.ts'
import { until } from './rig/until.ts'

const SCHEDULE = { everyEntries: 10, everyMs: 3_600_000 }

describe.runIf(hasAnvil)('an anchorer', () => {
  test('serves two chains of which one is down, returns, and is reorganised', async () => {
    const path = folder()
    const vault = await openVault(path)
    const steady = await evmChain(path, 2, 31_337)
    const flaky = await evmChain(path, 2, 31_338)
    const queue = queueOf(path, vault)
    const events: AnchorEvent[] = []
    const chains = [steady, flaky].map(({ adapter }) => {
      return { adapter, dailyCap: ETHER, patienceMs: 60_000, pollMs: 20 }
    })
    const report = (event: AnchorEvent) => events.push(event)
    const anchorer = new Anchorer({ vault, store: queue, chains, schedule: SCHEDULE, report })
    anchorer.start()
    onTestFinished(() => anchorer.stop())
    const mining = setInterval(() => {
      for (const { anvil } of [steady, flaky]) anvil.mine().catch(() => undefined)
    }, 50)
    onTestFinished(() => clearInterval(mining))
    const confirmed = ({ adapter }: typeof steady) => queue.newestConfirmed(adapter.chain)?.head.size

    await grow(vault, 10)
    await until(() => confirmed(steady) === 10 && confirmed(flaky) === 10)

    await flaky.anvil.down()
    await grow(vault, 10)
    await until(() => confirmed(steady) === 20)
    await until(() => anchorer.status()[1]!.fault !== undefined)
    expect(events.filter(({ kind, chain }) => kind === 'fault' && chain === flaky.adapter.chain)).not.toEqual([])
    expect(queue.newest(flaky.adapter.chain)?.size).toBe(20)
    // Nine entries are not due yet; the tenth is. What waits for the chain that is down is the newest alone.
    await grow(vault, 9)
    expect(queue.newest(steady.adapter.chain)?.size).toBe(20)
    await grow(vault, 1)
    await until(() => confirmed(steady) === 30)
    expect(confirmed(flaky)).toBe(10)

    await flaky.anvil.up()
    const before = await flaky.anvil.rpc<string>('evm_snapshot')
    await until(() => confirmed(flaky) === 30)
    await flaky.anvil.rpc('evm_revert', before)
    await until(() => events.some((event) => event.chain === flaky.adapter.chain && isRequeue(event)))
    await until(() => confirmed(flaky) === 30 && queue.open(flaky.adapter.chain).length === 0)
    const bundle = await anchorer.prove(25)
    expect(bundle.receipts.map(({ chain }) => chain)).toEqual(['eip155:31337', 'eip155:31338'])
  })
})

function isRequeue(event: AnchorEvent): boolean {
  return event.kind === 'step' && event.step.kind === 'requeued'
}
