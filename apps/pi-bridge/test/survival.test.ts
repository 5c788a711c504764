import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import type { MessageStatus, MethodResult, ReceivedMessage, Status } from '@nexus/node/api'
import { connectControl } from '@nexus/node/control'
import { describe, expect, test } from 'vitest'
import { Bench, freePort, type RunningChild, until } from './harness.ts'

// These wait for processes more than they work, so they run side by side, each in a folder of its own.
function alone(name: string, work: (bench: Bench) => Promise<void>): void {
  test.concurrent(name, async () => {
    const bench = new Bench()
    try {
      await work(bench)
    } finally {
      await bench.end()
    }
  }, 60_000)
}

const server = (port: number): string[] => ['-i', `tcp-server,host=127.0.0.1,port=${port}`]
const client = (port: number): string[] => ['-i', `tcp-client,address=127.0.0.1:${port}`]

/** The status once it shows what is waited for, asked from here: a process for each look would slow down what it looks at. */
async function seen(bench: Bench, node: string, what: string, shows: (status: Status) => boolean): Promise<Status> {
  const control = await connectControl(bench.path(node, 'control.sock'))
  try {
    return await until(`${node}: ${what}`, async () => {
      const status = await control.call('status', {})
      return shows(status) && status
    })
  } finally {
    control.close()
  }
}

function linked(bench: Bench, node: string, count = 1): Promise<Status> {
  return seen(bench, node, `${count} links`, ({ links }) => links.length === count)
}

async function idOf(running: RunningChild): Promise<string> {
  return (await running.started).nodeId
}

describe('a node survives', () => {
  alone('kill -9: keeps identity, peers, routes, outbox and inbox, and shows nothing twice', async (bench) => {
    const port = await freePort()
    // The receiver dials, so that it need not be waited for once it is back.
    const sender = await bench.start('sender', server(port))
    const receiver = await bench.start('receiver', client(port))
    const [receiverId, senderId] = [await idOf(receiver), await idOf(sender)]
    await linked(bench, 'sender')
    await bench.json('sender', 'nexus-peer', ['add', receiverId, '--name', 'rex'])
    for (const text of ['one', 'two']) {
      const [sent] = await bench.json<MessageStatus>('sender', 'nexus-send', ['rex', text, '--wait'])
      expect(sent?.state).toBe('delivered')
    }
    const [taken] = await bench.json<ReceivedMessage>('receiver', 'nexus-listen', ['-n', '1'])
    expect(taken?.text).toBe('one')
    await receiver.kill('SIGKILL')
    const [queued] = await bench.json<MessageStatus>('sender', 'nexus-send', ['rex', 'three'])
    await seen(bench, 'sender', 'routes were saved, which is every five rounds', ({ node }) => node.upForMs > 5_500)
    await sender.kill('SIGKILL')
    expect(existsSync(bench.path('sender', 'control.sock'))).toBe(true)

    const again = await bench.start('sender', server(port))
    expect(await idOf(again)).toBe(senderId)
    const path = await bench.run('sender', 'nexus-path', ['rex'])
    expect(path.out).toContain('The destination is known')
    const [list] = await bench.json<MethodResult<'peer-list'>>('sender', 'nexus-peer')
    expect(list?.peers).toEqual([{ nodeId: receiverId, name: 'rex' }])
    expect(await idOf(await bench.start('receiver', client(port)))).toBe(receiverId)
    const messages = await bench.json<ReceivedMessage>('receiver', 'nexus-listen', ['-n', '2'])
    expect(messages.map(({ text }) => text)).toEqual(['two', 'three'])
    const [status] = await bench.json<Status>('sender', 'nexus-status')
    expect(status?.messages.queued).toBe(0)
    const settled = await bench.run('sender', 'nexus-send', ['rex', 'four', '--wait', '--json'])
    expect(BigInt(JSON.parse(settled.out).id)).toBeGreaterThan(BigInt(queued!.id))
    const rest = await bench.json<ReceivedMessage>('receiver', 'nexus-listen', ['-n', '1'])
    expect(rest.map(({ text }) => text)).toEqual(['four'])
  })

  alone('damage: a state file that was damaged is reported with its path and kept', async (bench) => {
    const node = await bench.start('node', ['--interface', 'udp,host=127.0.0.1,port=0,multicast=false'])
    await node.kill('SIGTERM')
    const path = bench.path('node', 'state.db')
    writeFileSync(path, 'no database at all, but what a broken disk left')
    const again = await bench.start('node', ['--interface', 'udp,host=127.0.0.1,port=0,multicast=false'])
    expect(await idOf(again)).toBe(await idOf(node))
    expect(again.err).toContain(`${path} was damaged; it is kept as ${path}.damaged-1`)
    expect(readFileSync(`${path}.damaged-1`, 'utf8')).toContain('broken disk')
    const doctor = await bench.run('node', 'nexus-doctor')
    expect(doctor.out).toContain(`${path}.damaged-1 was put aside`)
  })

  alone('damage: a half-written identity is reported with its path, put aside, and not replaced', async (bench) => {
    expect((await bench.run('node', 'nexus-keygen', ['identity', '--plain'])).code).toBe(0)
    const path = bench.path('node', 'identity')
    truncateSync(path, 20)
    const doctor = await bench.run('node', 'nexus-doctor')
    expect(doctor.code).toBe(1)
    expect(doctor.out).toContain(`${path} is damaged or half-written`)
    // Whoever merely looks at a file, which may be any, moves nothing.
    const shown = await bench.run('node', 'nexus-keygen', ['show', path])
    expect(shown).toMatchObject({ code: 7, out: '' })
    expect(existsSync(path)).toBe(true)
    const start = await bench.run('node', 'nexus-node', ['start'])
    expect(start).toMatchObject({ code: 7, out: '' })
    expect(start.err).toContain(`${path} is damaged or half-written; it is kept as ${path}.damaged-1`)
    expect(readFileSync(`${path}.damaged-1`)).toHaveLength(20)
    expect(existsSync(path)).toBe(false)
  })

  alone('trusted admission: keeps strangers out, lets named peers in, and shows them out again', async (bench) => {
    const port = await freePort()
    const closed = await bench.start('closed', [...server(port), '--admission', 'trusted'])
    const guest = await bench.start('guest', client(port))
    const guestId = await idOf(guest)
    await until('the stranger is refused', async () => closed.err.includes('not-admitted'))
    await linked(bench, 'closed', 0)
    // A peer that was refused waits for longer and longer before it tries again; one that starts anew does not.
    await guest.kill('SIGTERM')
    const named = await bench.run('closed', 'nexus-peer', ['add', guestId, '--name', 'guest'])
    expect(named.out).toContain(`trusted: guest (${guestId})`)
    expect(named.err).toMatch(/^It is (linked|not linked yet)\./)
    await bench.start('guest', client(port))
    const doctor = await bench.run('closed', 'nexus-doctor')
    expect(doctor.out).toMatch(/warning +refusals .*not-admitted/)
    const status = await linked(bench, 'closed')
    expect(status.links[0]).toMatchObject({ peer: guestId, trusted: true })
    const removed = await bench.run('closed', 'nexus-peer', ['remove', 'guest'])
    expect(removed.out).toBe(`no longer trusted: guest (${guestId})\n`)
    await linked(bench, 'closed', 0)
    expect((await bench.run('closed', 'nexus-peer', ['remove', 'guest'])).code).toBe(4)
  })

  alone('in the background: starts with a passphrase, outlives a taken port, restarts, and stops', async (bench) => {
    writeFileSync(bench.path('words'), 'correct horse\n', { mode: 0o600 })
    const made = await bench.run('node', 'nexus-keygen', [
      'identity',
      '--passphrase-file',
      bench.path('words'),
      '--json',
    ])
    const { nodeId } = JSON.parse(made.out)
    const wrong = await bench.run('node', 'nexus-node', ['start', '--daemon', '--passphrase-stdin'], 'battery\n')
    expect(wrong.code).toBe(7)
    expect(wrong.err).toContain('the passphrase is wrong or the identity file is damaged')
    expect(existsSync(bench.path('node', 'identity'))).toBe(true)

    const port = await freePort()
    await bench.start('other', ['--interface', `udp,host=127.0.0.1,port=${port},multicast=false`])
    const settings = ['--interface', `udp,host=127.0.0.1,port=${port},multicast=false`]
    const flags = ['--passphrase-stdin', ...settings]
    const [started] = await bench.json<{ nodeId: string; pid: number; log: string }>(
      'node',
      'nexus-node',
      ['start', '--daemon', ...flags],
      'correct horse\n',
    )
    expect(started?.nodeId).toBe(nodeId)
    expect(readFileSync(started!.log, 'utf8')).toContain(`cannot listen on 127.0.0.1:${port}: EADDRINUSE`)
    await bench.json('other', 'nexus-node', ['stop'])
    await seen(bench, 'node', 'the port is taken over', ({ interfaces }) => interfaces.length === 1)
    const [restarted] = await bench.json<{ nodeId: string; pid: number }>(
      'node',
      'nexus-node',
      ['restart', ...flags],
      'correct horse\n',
    )
    expect(restarted?.nodeId).toBe(nodeId)
    expect(restarted?.pid).not.toBe(started?.pid)
    expect((await bench.run('node', 'nexus-node', ['stop'])).code).toBe(0)
    expect(existsSync(bench.path('node', 'pid'))).toBe(false)
    expect((await bench.run('node', 'nexus-status')).code).toBe(3)
  })
})
