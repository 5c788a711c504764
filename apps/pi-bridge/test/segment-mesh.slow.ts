import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connectControl } from '@nexus/node/control'
import { afterAll, expect, test } from 'vitest'
import { Bench, RunningChild, until } from './harness.ts'

const bench = new Bench()
const id = process.pid % 10_000
const namespaces = [`nxa${id}`, `nxb${id}`] as const
const ip = (...args: string[]): boolean => spawnSync('ip', args, { stdio: 'ignore' }).status === 0
const canMakeNamespaces = process.platform === 'linux' && ip('netns', 'add', namespaces[0])
if (!canMakeNamespaces) {
  const why = 'members of a segment as peers of a mesh are NOT tested: network namespaces need root, `ip` and Linux'
  if (process.env['CI'] === 'true') throw new Error(why)
  console.warn(`\n*** ${why} ***\n`)
}

afterAll(async () => {
  await bench.end()
  for (const namespace of namespaces) ip('netns', 'del', namespace)
})

/** Without discovery of its own: what it links with, the segment has found. */
const config = (name: string): string => `label = "${name}"
roundMs = 1000
interfaces = [{ type = "udp", port = 4242, multicast = false }]
[segment]
enabled = true
zone = "Medical"
passphraseFile = "${bench.path('passphrase')}"
`

async function start(name: string, namespace: string): Promise<Awaited<RunningChild['started']>> {
  const made = await bench.run(name, 'nexus-keygen', ['identity', '--plain'])
  expect(made.code, made.err).toBe(0)
  writeFileSync(bench.path(`${name}.toml`), config(name))
  const child = bench.spawnIn(['ip', 'netns', 'exec', namespace], name, 'nexus-node', [
    ...['start', '--json', '--config', bench.path(`${name}.toml`)],
  ])
  return new RunningChild(child).started
}

test.runIf(canMakeNamespaces)(
  'two nodes that share nothing but a cable link up, and trust each other no more for it',
  { timeout: 90_000 },
  async () => {
    ip('netns', 'add', namespaces[1])
    ip('link', 'add', 'eth0', 'netns', namespaces[0], 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespaces[1])
    for (const namespace of namespaces) ip('-n', namespace, 'link', 'set', 'eth0', 'up')
    writeFileSync(bench.path('passphrase'), 'a passphrase of two machines\n', { mode: 0o600 })
    const [ann, ben] = await Promise.all([start('ann', namespaces[0]), start('ben', namespaces[1])])
    const control = await connectControl(ann.socket)
    const beganMs = performance.now()
    const link = await until(
      'a link of the mesh',
      async () => (await control.call('status', {})).links.find(({ peer }) => peer === ben.nodeId),
      60_000,
    )
    console.info(`linked ${Math.round(performance.now() - beganMs)} ms after both were up, at ${link.address}`)
    expect(link).toMatchObject({ trusted: false, address: expect.stringMatching(/^\[fe80:.*%eth0\]:4242$/) })
    expect(await control.call('peer-list', {})).toEqual({ peers: [] })
    // Whoever heard the other first has dialled it; the other hears a pulse soon.
    const report = await until('each is a member to the other', async () => {
      const now = await control.call('segment', {})
      return (now.interfaces[0]?.members.length ?? 0) > 0 && now
    })
    expect(report).toMatchObject({ nodeId: ann.nodeId, name: 'ann', zone: 'Medical' })
    expect(report.interfaces[0]?.members).toMatchObject([{ nodeId: ben.nodeId, name: 'ben', zone: 'Medical' }])
    const shown = await bench.run('ann', 'nexus-segment', ['status', '--socket', ann.socket])
    expect(shown.out).toMatch(/eth0.*anchor/)
    control.close()
  },
)
