import { createSocket } from 'node:dgram'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { PROXY_CLIENTS_MAX, type ProxyOptions, tcpProxy, udpProxy } from '../src/proxy.ts'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Sends numbered datagrams to an echo through the proxy; returns the numbers in the order they came back. */
async function throughUdp(count: number, options: Omit<ProxyOptions, 'target'>) {
  const echo = createSocket('udp4')
  echo.on('message', (bytes, { port, address }) => echo.send(bytes, port, address))
  await new Promise<void>((resolve) => echo.bind(0, '127.0.0.1', resolve))
  const proxy = await udpProxy({ ...options, target: `127.0.0.1:${echo.address().port}` })
  const client = createSocket('udp4')
  const got: Buffer[] = []
  client.on('message', (bytes) => got.push(bytes))
  const startMs = performance.now()
  for (let number = 0; number < count; number++) {
    const bytes = Buffer.alloc(100, 0x55)
    bytes.writeUInt32BE(number)
    client.send(bytes, Number(proxy.address.split(':')[1]), '127.0.0.1')
    if (number % 20 === 19) await sleep(1)
  }
  let seen = -1
  while (got.length !== seen) {
    seen = got.length
    await sleep(80)
  }
  const tookMs = performance.now() - startMs
  await proxy.close()
  client.close()
  echo.close()
  return { got, numbers: got.map((bytes) => bytes.readUInt32BE()), counts: proxy.counts, tookMs }
}

test('a UDP proxy passes all, in order, without impairment', async () => {
  const { numbers } = await throughUdp(200, {})
  expect(numbers).toEqual(Array.from({ length: 200 }, (_, index) => index))
})

test('a UDP proxy loses, doubles, reorders and corrupts', async () => {
  const impairment = { lossRatio: 0.1, duplicateRatio: 0.1, reorderRatio: 0.1, corruptRatio: 0.05, latencyMs: 2 }
  const { got, numbers, counts } = await throughUdp(400, { impairment, seed: 3 })
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0)
  expect(new Set(numbers).size).toBeLessThan(400)
  expect(numbers).not.toEqual([...numbers].sort((a, b) => a - b))
  expect(got.some((bytes) => bytes.subarray(4).some((byte) => byte !== 0x55))).toBe(true)
})

test('a UDP proxy keeps its rate and loses what does not fit the queue', async () => {
  const { numbers, counts } = await throughUdp(100, { bitrateBps: 200_000, queueBytesMax: 3_000 })
  expect(counts.lost).toBeGreaterThan(20)
  expect(numbers.length).toBe(100 - counts.lost)
})

test('a cut UDP proxy passes nothing until healed, and serves so many sources only', async () => {
  const sink = createSocket('udp4')
  const got: string[] = []
  sink.on('message', (bytes) => got.push(bytes.toString()))
  await new Promise<void>((resolve) => sink.bind(0, '127.0.0.1', resolve))
  const proxy = await udpProxy({ target: `127.0.0.1:${sink.address().port}` })
  const port = Number(proxy.address.split(':')[1])
  const clients = Array.from({ length: PROXY_CLIENTS_MAX + 10 }, () => createSocket('udp4'))
  proxy.cut()
  clients[0]?.send('lost', port, '127.0.0.1')
  await sleep(30)
  proxy.heal()
  for (const client of clients) {
    await new Promise<void>((resolve) => client.send('kept', port, '127.0.0.1', () => resolve()))
    if (clients.indexOf(client) % 32 === 0) await sleep(5)
  }
  await sleep(100)
  expect(got.length).toBe(PROXY_CLIENTS_MAX)
  expect(new Set(got)).toEqual(new Set(['kept']))
  for (const client of clients) client.close()
  await proxy.close()
  sink.close()
})

async function withTcp(
  options: Omit<ProxyOptions, 'target'>,
  act: (client: Socket, proxy: Awaited<ReturnType<typeof tcpProxy>>) => Promise<void>,
) {
  const echo = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
  const proxy = await tcpProxy({ ...options, target: `127.0.0.1:${(echo.address() as AddressInfo).port}` })
  const client = connect(Number(proxy.address.split(':')[1]), '127.0.0.1')
  client.on('error', () => {})
  await new Promise<void>((resolve) => client.once('connect', () => resolve()))
  try {
    await act(client, proxy)
  } finally {
    client.destroy()
    await proxy.close()
    await new Promise((resolve) => echo.close(resolve))
  }
}

test('a TCP proxy keeps the stream whole under loss and jitter, and passes on its end', async () => {
  const impairment = { lossRatio: 0.2, jitterMs: 5, latencyMs: 1, duplicateRatio: 0.5, reorderRatio: 0.5 }
  await withTcp({ impairment, seed: 5 }, async (client, proxy) => {
    const got: Buffer[] = []
    client.on('data', (chunk) => got.push(chunk))
    const ended = new Promise((resolve) => client.once('end', resolve))
    const sent = Array.from({ length: 30 }, (_, index) => Buffer.alloc(3_000, index))
    for (const piece of sent) {
      client.write(piece)
      await sleep(1)
    }
    client.end()
    await ended
    expect(Buffer.compare(Buffer.concat(got), Buffer.concat(sent))).toBe(0)
    expect(proxy.counts.lost).toBeGreaterThan(0)
  })
})

test('a TCP proxy keeps its rate with a bounded queue', async () => {
  await withTcp({ bitrateBps: 8_000_000, queueBytesMax: 20_000 }, async (client) => {
    let got = 0
    const all = new Promise<void>((resolve) =>
      client.on('data', (chunk) => {
        got += chunk.length
        if (got >= 300_000) resolve()
      }),
    )
    const startMs = performance.now()
    client.write(Buffer.alloc(300_000))
    await all
    // 300 kB at 1 MB/s; both directions run at the same time.
    expect(performance.now() - startMs).toBeGreaterThan(250)
  })
})

test('a cut TCP proxy holds everything back; a reset one ends the connections', async () => {
  await withTcp({}, async (client, proxy) => {
    let got = ''
    client.on('data', (chunk) => (got += chunk))
    proxy.cut()
    client.write('held')
    await sleep(50)
    expect(got).toBe('')
    proxy.heal()
    while (got === '') await sleep(5)
    expect(got).toBe('held')
    const closed = new Promise((resolve) => client.once('close', resolve))
    proxy.reset()
    await closed
  })
})
