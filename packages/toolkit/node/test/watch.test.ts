import { afterEach, expect, test } from 'vitest'
import type { Api, SegmentReport, WatchItem } from '../src/api.ts'
import { type PageNode, PageServer, SegmentApi } from '../src/page.ts'

const REPORT: SegmentReport = {
  ...{ schema: 'nexus-segment/1', nodeId: 'ab'.repeat(16), name: 'ann', type: 'Agent', zone: 'Command' },
  interfaces: [],
}
const running: PageServer[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

/** A node of a segment alone, which can be switched. */
class Switched implements PageNode {
  readonly role = 'node'
  readonly views = ['segment'] as const
  readonly name: string
  current: SegmentApi | undefined
  constructor(name: string) {
    this.name = name
    this.on()
  }
  on(): void {
    this.current = new SegmentApi(() => ({ ...REPORT, name: this.name }))
    this.current.note({ kind: 'segment', text: `${this.name} is up.`, facts: {} })
  }
  off(): void {
    this.current?.close()
    this.current = undefined
  }
  api(): Api | undefined {
    return this.current
  }
}

/** The stream of a server, item by item. */
async function watching(nodes: readonly PageNode[], body: object, host = '127.0.0.1') {
  const server = new PageServer({ nodes: () => nodes, token: 'secret', port: 0, host })
  running.push(server)
  await server.start()
  const response = await fetch(`http://127.0.0.1:${server.port}/api/watch`, {
    method: 'POST',
    headers: { Authorization: 'Bearer secret' },
    body: JSON.stringify(body),
  })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  const next = async (): Promise<WatchItem> => {
    for (;;) {
      const end = rest.indexOf('\n')
      if (end >= 0) {
        const line = rest.slice(0, end)
        rest = rest.slice(end + 1)
        return JSON.parse(line)
      }
      const { value, done } = await reader.read()
      if (done) throw new Error('the stream ended')
      rest += value
    }
  }
  const until = async (holds: (item: WatchItem) => boolean): Promise<WatchItem> => {
    for (;;) {
      const item = await next()
      if (holds(item)) return item
    }
  }
  return { response, until, cancel: () => reader.cancel() }
}

test('one stream has every node, its views, and the events of the one that is looked at', async () => {
  const [ann, ben] = [new Switched('ann'), new Switched('ben')]
  const { until, cancel } = await watching([ann, ben], { node: 'ben' })
  const item = await until(({ kind }) => kind === 'look')
  expect(item).toMatchObject({
    look: { selected: 'ben', nodes: [{ name: 'ann', running: true, segment: { name: 'ann' } }, { name: 'ben' }] },
  })
  expect(await until(({ kind }) => kind === 'event')).toMatchObject({ event: { text: 'ben is up.' } })
  await cancel()
})

test('a node that goes off and comes back is followed anew; without one of that name the first is looked at', async () => {
  const ann = new Switched('ann')
  const { until, cancel } = await watching([ann], { node: 'nobody' })
  expect(await until(({ kind }) => kind === 'following')).toEqual({ kind: 'following', node: 'ann' })
  ann.off()
  await until((item) => item.kind === 'look' && item.look.nodes[0]?.running === false)
  ann.on()
  await until(({ kind }) => kind === 'following')
  expect(await until(({ kind }) => kind === 'event')).toMatchObject({ event: { text: 'ann is up.' } })
  await cancel()
})

test('what a segment alone does not have is refused by name', async () => {
  const api = new SegmentApi(() => REPORT)
  await expect(api.call('status', {})).rejects.toMatchObject({ detail: { code: 'unknown-method' } })
  api.close()
  await expect(api.call('segment', {})).rejects.toMatchObject({ detail: { code: 'stopping' } })
})

test('opened to other machines, any name leads there, and the token is asked for still', async () => {
  const { response, cancel } = await watching([new Switched('ann')], {}, '0.0.0.0')
  expect(response.status).toBe(200)
  await cancel()
  const url = `http://127.0.0.1:${running[0]!.port}/api/watch`
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401)
  const foreign = { Authorization: 'Bearer secret', Origin: 'https://example.org' }
  expect((await fetch(url, { method: 'POST', body: '{}', headers: foreign })).status).toBe(403)
})
