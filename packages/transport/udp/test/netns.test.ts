import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { QUEUE_BYTES_MAX } from '../src/index.ts'

const NODE = fileURLToPath(new URL('netns-node.ts', import.meta.url))
const id = process.pid % 10_000
const nsA = `nxa${id}`
const nsB = `nxb${id}`
const PORT = 4_242

const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString()

/** Two namespaces joined by a cable, as two machines would be; only link-local addresses, only this test's traffic. */
function canMakeNamespaces(): boolean {
  try {
    ip('netns', 'add', nsA)
    ip('netns', 'add', nsB)
    return true
  } catch {
    spawnSync('ip', ['netns', 'del', nsA])
    return false
  }
}

const namespaces = process.platform === 'linux' && canMakeNamespaces()
if (!namespaces) {
  const why = 'IPv6 multicast between machines is NOT tested: network namespaces need root, `ip` and Linux'
  if (process.env['CI'] === 'true') throw new Error(why)
  console.warn(`\n*** ${why} ***\n`)
}

interface Event {
  readonly atMs: number
  readonly event: string
  readonly text?: string
  readonly from?: string
  readonly taken?: number
  readonly queuedMost?: number
}

/** A transport in a namespace. */
class Machine {
  readonly events: Event[] = []
  readonly #child: ChildProcess

  constructor(namespace: string, label: string, options: object) {
    const node = [process.execPath, '--conditions=nexus-source', NODE, label, JSON.stringify(options)]
    this.#child = spawn('ip', ['netns', 'exec', namespace, ...node], { stdio: ['pipe', 'pipe', 'inherit'] })
    let rest = ''
    this.#child.stdout?.on('data', (chunk) => {
      const lines = `${rest}${chunk}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.events.push(JSON.parse(line))
    })
  }

  tell(command: string): void {
    this.#child.stdin?.write(`${command}\n`)
  }

  async see(what: string, matches: (event: Event) => boolean, limitMs = 8_000): Promise<Event> {
    const endMs = Date.now() + limitMs
    for (;;) {
      const found = this.events.find(matches)
      if (found) return found
      if (Date.now() > endMs) throw new Error(`never saw ${what}: ${JSON.stringify(this.events.slice(-8))}`)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }

  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.#child.once('exit', resolve))
    this.tell('stop')
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 2_000)
    await gone
    clearTimeout(kill)
  }
}

describe.runIf(namespaces)('discovery between two machines', () => {
  let a: Machine
  let b: Machine

  const plug = () => {
    ip('link', 'add', 'cab0', 'netns', nsA, 'type', 'veth', 'peer', 'name', 'cab0', 'netns', nsB)
    for (const ns of [nsA, nsB]) ip('-n', ns, 'link', 'set', 'cab0', 'up')
  }

  beforeAll(() => {
    for (const ns of [nsA, nsB]) ip('-n', ns, 'link', 'set', 'lo', 'up')
    a = new Machine(nsA, 'a', { port: PORT })
    b = new Machine(nsB, 'b', { port: PORT })
  })

  afterAll(async () => {
    await Promise.all([a.stop(), b.stop()])
    for (const ns of [nsA, nsB]) ip('netns', 'del', ns)
  })

  test('a cable that is plugged in while both run is found, and answers find their way', async () => {
    await Promise.all([a.see('up', ({ event }) => event === 'up'), b.see('up', ({ event }) => event === 'up')])
    a.tell('greet')
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(b.events.filter(({ event }) => event === 'frame')).toEqual([])
    plug()
    const heard = await b.see('the greeting of a', ({ text }) => text === 'hello from a')
    expect(heard.from).toMatch(/^\[fe80::[0-9a-f:]+%cab0\]:4242$/)
    // The first ones may fall into the time in which b's own address can't be used yet.
    const answering = setInterval(() => b.tell(`answer ${heard.from}`), 100)
    const answer = await a.see('the answer of b', ({ text }) => text === 'answer from b')
    clearInterval(answering)
    expect(answer.from).toMatch(/^\[fe80::[0-9a-f:]+%cab0\]:4242$/)
    expect([...a.events, ...b.events].filter(({ text }) => text === 'hello from a').length).toBeGreaterThan(0)
    expect(a.events.some(({ text }) => text === 'hello from a')).toBe(false)
  })

  test('a link that went down and came back is greeted within 2 s of being usable', async () => {
    for (const ns of [nsA, nsB]) ip('-n', ns, 'link', 'set', 'cab0', 'down')
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    b.events.length = 0
    a.events.length = 0
    for (const ns of [nsA, nsB]) ip('-n', ns, 'link', 'set', 'cab0', 'up')
    const upMs = Date.now()
    while (ip('-n', nsA, '-6', 'addr', 'show', 'cab0').includes('tentative'))
      await new Promise((resolve) => setTimeout(resolve, 20))
    const usableMs = Date.now()
    const heard = await b.see('the greeting of a', ({ text }) => text === 'hello from a')
    console.info(
      `heard ${heard.atMs - upMs} ms after link up, ${heard.atMs - usableMs} ms after the address was usable`,
    )
    expect(heard.atMs - usableMs).toBeLessThan(2_000)
  })

  test('an interface made anew under its old name is joined again', async () => {
    ip('-n', nsA, 'link', 'del', 'cab0')
    plug()
    a.events.length = 0
    b.events.length = 0
    await Promise.all([
      b.see('the greeting of a', ({ text }) => text === 'hello from a'),
      a.see('the greeting of b', ({ text }) => text === 'hello from b'),
    ])
  })

  test('two nodes of one machine share the group, and neither hears itself', async () => {
    const second = new Machine(nsA, 'a2', { port: PORT + 10 })
    await second.see('up', ({ event }) => event === 'up')
    second.tell('greet')
    const heard = await a.see('the greeting of a2', ({ text }) => text === 'hello from a2')
    expect(heard.from).toMatch(/%cab0\]:4252$/)
    await b.see('it on the other machine', ({ text }) => text === 'hello from a2')
    expect(second.events.some(({ text }) => text === 'hello from a2')).toBe(false)
    await second.stop()
  })

  // The kernel's timing decides how soon the queue fills: a second look is fair.
  test('a cable that is too slow fills the queue to its bound, and drains', { retry: 2 }, async () => {
    const { from } = await a.see('the address of b', ({ text }) => text === 'hello from b')
    // Until the kernel knows the neighbour it drops what is sent there, and no queue ever fills.
    a.tell(`answer ${from}`)
    await b.see('a datagram of a by itself', ({ text }) => text === 'answer from a')
    execFileSync('ip', [
      'netns',
      'exec',
      nsA,
      'tc',
      ...'qdisc replace dev cab0 root tbf rate 8mbit burst 4kb limit 4mb'.split(' '),
    ])
    a.events.length = 0
    a.tell(`flood ${from}`)
    const flooded = await a.see('the end of the flood', ({ event }) => event === 'flooded')
    expect(flooded.taken).toBeGreaterThan(0)
    expect(flooded.taken).toBeLessThan(200_000)
    expect(flooded.queuedMost).toBeGreaterThan(0)
    expect(flooded.queuedMost).toBeLessThanOrEqual(QUEUE_BYTES_MAX)
    await a.see('a drain', ({ event }) => event === 'drain')
  })
})
