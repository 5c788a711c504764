import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { MessageStatus, PathResult, ReceivedMessage, Status, TraceResult } from '@nexus/node/api'
import { connectControl } from '@nexus/node/control'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { Bench, freePort, lines, type RunningChild, until } from './harness.ts'

const bench = new Bench()
let ada: RunningChild
let ben: RunningChild
let adaId = ''
let benId = ''

beforeAll(async () => {
  const port = await freePort()
  ada = await bench.start('ada', ['-i', `tcp-server,host=127.0.0.1,port=${port}`, '--metrics', '--metrics-port', '0'])
  ben = await bench.start('ben', ['-i', `tcp-client,address=127.0.0.1:${port}`])
  adaId = (await ada.started).nodeId
  benId = (await ben.started).nodeId
  const control = await connectControl((await ben.started).socket)
  await until('the two know each other', async () => (await control.call('status', {})).routesTotal === 1)
  control.close()
})
afterAll(() => bench.end())

/** A published schema, as anyone would use it. */
function published(name: string): z.ZodType {
  const path = join(import.meta.dirname, '..', '..', '..', 'docs', 'schemas', `${name}.json`)
  return z.fromJSONSchema(JSON.parse(readFileSync(path, 'utf8')))
}

describe('two nodes', () => {
  test('status: tables for people, the published schema for programs', async () => {
    const [people, sections, [status], wrong] = await Promise.all([
      bench.run('ben', 'nexus-status'),
      bench.run('ben', 'nexus-status', ['links', 'messages', '--color', 'always']),
      bench.json<Status>('ben', 'nexus-status'),
      bench.run('ben', 'nexus-status', ['lnks']),
    ])
    expect(people.code).toBe(0)
    expect(people.out).toMatch(/^ben {2}[0-9a-f]{32}$/m)
    expect(people.out).toMatch(/^INTERFACE +LINKS/m)
    expect(people.out).toMatch(/^ada \([0-9a-f]{8}\) +itself/m)
    expect(people.out).not.toContain('\u001b')
    expect(sections.out).toContain('\u001b[')
    expect(sections.out).not.toContain('INTERFACE ')
    published('status').parse(status)
    expect(status?.links[0]?.peer).toBe(adaId)
    expect(wrong).toMatchObject({ code: 2, out: '' })
    expect(wrong.err).toContain('sections: node, interfaces')
  })

  test('watch shows it again and again, and ends well at Ctrl-C', async () => {
    const child = bench.spawn('ben', 'nexus-status', ['node', '--watch', '--interval', '100ms', '--json'])
    let out = ''
    child.stdout?.on('data', (chunk) => (out += chunk))
    await until('three statuses', async () => lines(out.slice(0, out.lastIndexOf('\n') + 1)).length >= 3)
    child.kill('SIGINT')
    await until('it ends', async () => child.exitCode !== null)
    expect(child.exitCode).toBe(0)
  })

  test('a message is sent, waited for, and heard once', async () => {
    const [sent] = await bench.json<MessageStatus>('ben', 'nexus-send', ['ada', 'héllo', 'there', '--wait'])
    published('message').parse(sent)
    expect(sent).toMatchObject({ state: 'delivered', to: adaId })
    const fromInput = await bench.run('ben', 'nexus-send', [adaId.slice(0, 8), '--wait'], 'from stdin\nin two lines')
    expect(fromInput).toMatchObject({ code: 0 })
    expect(fromInput.out).toMatch(/^delivered: message \d+$/m)
    const [peeked] = await bench.json<ReceivedMessage>('ada', 'nexus-listen', ['--peek', '--count', '1'])
    const first = await bench.json<ReceivedMessage>('ada', 'nexus-listen', ['--count', '1'])
    expect(first).toHaveLength(1)
    expect(first[0]?.key).toBe(peeked?.key)
    published('received-message').parse(first[0])
    expect(first[0]).toMatchObject({ text: 'héllo there', from: benId, fromLabel: 'ben' })
    const second = await bench.run('ada', 'nexus-listen', ['-n', '1'])
    expect(second.out).toMatch(/ben {2}from stdin\nin two lines\n$/)
  })

  test('a message to nobody says why it does not arrive, by exit code too', async () => {
    const nobody = 'f'.repeat(32)
    const [unknown, expired, late, both, gone] = await Promise.all([
      bench.run('ben', 'nexus-send', ['adda', 'x', '--json']),
      bench.run('ben', 'nexus-send', [nobody, 'x', '--wait', '--expires', '300ms', '--json']),
      bench.run('ben', 'nexus-send', [nobody, 'x', '--wait', '--timeout', '200ms']),
      bench.run('ben', 'nexus-send', ['ada', 'x', '--anonymous', '--wait']),
      bench.run('ben', 'nexus-send', ['ada', '--file', bench.path('none')]),
    ])
    expect(unknown).toMatchObject({ code: 4, out: '' })
    published('error').parse(JSON.parse(unknown.err))
    expect(JSON.parse(unknown.err).error.code).toBe('unknown-node')
    expect(expired.code).toBe(5)
    expect(JSON.parse(expired.out)).toMatchObject({ state: 'failed', reason: 'no-key' })
    expect(late.code).toBe(5)
    expect(late.out).toMatch(/^queued: message \d+ not delivered within 0.2 s/)
    expect(both.code).toBe(2)
    expect(gone.code).toBe(4)
    const traced = await bench.run('ben', 'nexus-trace', [nobody])
    expect(traced.code).toBe(5)
    expect(traced.out).toMatch(/no-route/)
    expect(traced.out).toMatch(/^message \d+: queued/m)
  })

  test('ping, path and trace explain the way', async () => {
    const [pings, [path], [trace], people, strange] = await Promise.all([
      bench.json<TraceResult>('ben', 'nexus-ping', ['ada', '-n', '2', '-i', '50ms']),
      bench.json<PathResult>('ben', 'nexus-path', ['ada']),
      bench.json<TraceResult>('ben', 'nexus-trace', [adaId]),
      bench.run('ben', 'nexus-trace', ['ada']),
      bench.run('ben', 'nexus-ping', ['e'.repeat(32), '-n', '1', '--timeout', '1s']),
    ])
    expect(pings).toHaveLength(3)
    published('trace').parse(pings[0])
    published('ping-summary').parse(pings[2])
    expect(pings[2]).toMatchObject({ sent: 2, answered: 2 })
    published('path').parse(path)
    expect(path?.candidates[0]).toMatchObject({ nextHop: adaId, chosen: true })
    published('trace').parse(trace)
    expect(trace).toMatchObject({ outcome: 'arrived', hops: [{ node: adaId }] })
    expect(people.out).toMatch(/HOP +NODE/)
    expect(people.out).toContain('arrived: The destination answered.')
    expect(people.out).toContain('Chosen: the lowest score')
    expect(strange).toMatchObject({ code: 5 })
    expect(strange.out).toContain('0 of 1 answered')
  })

  test('the socket, the identity and the state are their owner’s alone', () => {
    for (const [name, mode] of [
      ['control.sock', 0o600],
      ['identity', 0o600],
      ['state.db', 0o600],
      ['', 0o700],
    ] as const) {
      expect(statSync(bench.path('ada', name)).mode & 0o777, name).toBe(mode)
    }
  })

  test('metrics and health are served on loopback', async () => {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(ada.err)?.[0]
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/^nexus_links\{node="ada",.*\} 1$/m)
    expect(await (await fetch(`${url}/health`)).json()).toEqual({ ok: true })
    expect((await fetch(`${url}/api/nodes`)).status).toBe(401)
  })

  test('the doctor finds a well node well, and bundles no secret', async () => {
    const doctor = await bench.run('ben', 'nexus-doctor', ['--json', '--bundle', bench.path('help.json')])
    expect(doctor.err).toBe('')
    const report = published('doctor').parse(JSON.parse(doctor.out)) as {
      ok: boolean
      findings: { check: string; verdict: string }[]
    }
    expect(report.ok).toBe(true)
    expect(doctor.code).toBe(0)
    expect(report.findings).toContainEqual(expect.objectContaining({ check: 'socket', verdict: 'ok' }))
    expect(JSON.parse(readFileSync(bench.path('help.json'), 'utf8'))).toMatchObject({
      status: { node: { nodeId: benId } },
    })
    expect(statSync(bench.path('help.json')).mode & 0o777).toBe(0o600)
  })

  test('a second node on the same state is refused, and harms nothing', async () => {
    const second = await bench.run('ben', 'nexus-node', ['start', '--json'])
    expect(second).toMatchObject({ code: 6, out: '' })
    expect(JSON.parse(second.err).error.code).toBe('already-running')
    expect((await bench.run('ben', 'nexus-node', ['status'])).out).toContain('1 link')
  })

  test('stop ends it in good order; then tools say that no node runs', async () => {
    const listening = bench.run('ben', 'nexus-listen')
    await new Promise((resolve) => setTimeout(resolve, 500))
    const [stopped] = await bench.json('ben', 'nexus-node', ['stop'])
    expect(await listening).toMatchObject({ code: 3, err: expect.stringContaining('the node has stopped') })
    published('stopped').parse(stopped)
    expect(await ben.ended).toBe(0)
    published('started').parse(JSON.parse(ben.out.split('\n')[0]!))
    const status = await bench.run('ben', 'nexus-status')
    expect(status).toMatchObject({ code: 3, out: '' })
    expect(status.err).toContain('nexus-node start')
    expect(await ada.kill('SIGTERM')).toBe(0)
  })
})
