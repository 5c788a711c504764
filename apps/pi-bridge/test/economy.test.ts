import { existsSync, writeFileSync } from 'node:fs'
import type { Status } from '@nexus/node/api'
import { afterAll, describe, expect, test } from 'vitest'
import { EXIT } from '../src/cli/exit-codes.ts'
import { genesisSchema } from '../src/ledger/schema.ts'
import { Bench, freePort, until } from './harness.ts'

const bench = new Bench()
afterAll(() => bench.end())

const file = bench.path('genesis')
const [one, two] = ['a'.repeat(32), 'b'.repeat(32)]

describe('an economy', () => {
  test('begins with a file that says who has how much, and is never overwritten', async () => {
    const made = await bench.run('a', 'nexus-ledger', ['genesis', file, `${one}=1000`, `${two}=500`, '--json'])
    expect([made.code, made.err]).toEqual([EXIT.ok, ''])
    expect(genesisSchema.parse(JSON.parse(made.out))).toMatchObject({ file, accounts: 2, mintedMicro: '1500' })
    const again = await bench.run('a', 'nexus-ledger', ['genesis', file, `${one}=1`])
    expect(again.code).toBe(EXIT.config)
    expect(again.err).toContain('is there already')
  })

  test.each([
    ['no balance', [`${one}`]],
    ['no amount', [`${one}=`]],
    ['a fraction', [`${one}=1.5`]],
    ['nothing', [`${one}=0`]],
    ['a short NodeID', ['abc=5']],
    ['one account twice', [`${one}=1`, `${one.toUpperCase()}=2`]],
    ['more than there can be', [`${one}=18446744073709551615`, `${two}=1`]],
  ])('%s is refused, and no file is left', async (_, balances) => {
    const refused = await bench.run('a', 'nexus-ledger', ['genesis', bench.path('none'), ...balances])
    expect(refused.code).toBe(EXIT.usage)
    expect(existsSync(bench.path('none'))).toBe(false)
  })

  test('of a node is shown by its status', async () => {
    const node = await bench.start('c', ['--economy-genesis-file', file])
    const { nodeId } = await node.started
    const status = await until('its status', async () => (await bench.json<Status>('c', 'nexus-status'))[0])
    expect(status.node.nodeId).toBe(nodeId)
    expect(status.economy).toMatchObject({ epoch: '0', balanceMicro: '0', settlements: 0, channels: [] })
    const balance = await bench.run('c', 'nexus-ledger', ['balance', '--json'])
    expect(JSON.parse(balance.out).accounts).toHaveLength(2)
  })

  test('of two neighbours has a channel that is opened, and neither settled nor disputed while nothing is owed', async () => {
    const port = await freePort()
    const paying = ['--economy-genesis-file', file]
    const e = await bench.start('e', [...paying, '-i', `tcp-server,host=127.0.0.1,port=${port}`])
    await bench.start('f', [...paying, '-i', `tcp-client,address=127.0.0.1:${port}`])
    const { nodeId } = await e.started
    const ready = await until('the channel is ready', async () => {
      const opened = await bench.run('f', 'nexus-channel', ['open', nodeId, '--json'])
      return opened.code === EXIT.ok && JSON.parse(opened.out).phase === 'ready' && opened
    })
    expect(JSON.parse(ready.out)).toMatchObject({ peer: nodeId, owedMicro: '0' })
    const settled = await bench.run('f', 'nexus-channel', ['settle', nodeId])
    expect([settled.code, settled.out]).toEqual([EXIT.failed, expect.stringContaining('nothing is owed')])
    const disputed = await bench.run('f', 'nexus-channel', ['dispute', nodeId, '--json'])
    expect([disputed.code, JSON.parse(disputed.out).outcome]).toEqual([EXIT.failed, 'nothing'])
    const nobody = await bench.run('f', 'nexus-channel', ['open', one])
    expect([nobody.code, nobody.err !== '']).toEqual([EXIT.notFound, true])
  })

  test('is not begun without its file, nor with one of something else', async () => {
    const missing = await bench.run('d', 'nexus-node', ['start', '--economy-genesis-file', bench.path('none')])
    expect(missing.code).toBe(EXIT.config)
    expect(missing.err).toContain('there is no genesis at')
    const other = bench.path('other')
    writeFileSync(other, 'a shopping list')
    const refused = await bench.run('d', 'nexus-node', ['start', '--economy-genesis-file', other])
    expect(refused.code).toBe(EXIT.config)
    expect(refused.err).toContain('holds no genesis')
  })
})
