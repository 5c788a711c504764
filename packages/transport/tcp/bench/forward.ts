// What a forwarder takes: a second process makes frames and hears them again, this one passes them on.
// node --conditions=nexus-source packages/transport/tcp/bench/forward.ts
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Interface, TransportHost } from '@nexus/transport'
import { tcpClient, tcpServer } from '../src/index.ts'

const FRAME_BYTES = 484
const SECONDS = Number(process.env['SECONDS'] ?? 4)
const WARM_MS = 800

if (process.argv[2] === 'peer') await peer(process.argv[3] as string)
else await forwarder()

/** Sends as fast as it is taken, and counts what comes back on a second connection. */
async function peer(address: string): Promise<void> {
  let heard = 0
  const sink = tcpServer({ host: '127.0.0.1', port: 0 })
  await sink.start(host({ frame: () => heard++ }))
  process.send?.({ sink: sink.address })
  const frame = new Uint8Array(randomBytes(FRAME_BYTES))
  const pump = (iface: Interface) => {
    while (iface.send(frame));
  }
  await tcpClient({ address }).start(host({ up: pump, drain: pump }))
  process.on('message', () => process.send?.({ heard }))
}

async function forwarder(): Promise<void> {
  let out: Interface | undefined
  let passed = 0
  const entry = tcpServer({ host: '127.0.0.1', port: 0 })
  await entry.start(
    host({
      frame: (_iface, frame) => {
        if (out?.send(frame)) passed++
      },
    }),
  )
  const child = fork(fileURLToPath(import.meta.url), ['peer', entry.address as string])
  const ask = () => new Promise<{ heard: number }>((resolve) => child.once('message', resolve).send('heard'))
  const { sink } = await new Promise<{ sink: string }>((resolve) => child.once('message', resolve))
  await tcpClient({ address: sink, queueBytesMax: 4 << 20 }).start(host({ up: (iface) => (out = iface) }))
  await measure(child, ask, () => passed)
}

async function measure(child: ReturnType<typeof fork>, ask: () => Promise<{ heard: number }>, passed: () => number) {
  await new Promise((resolve) => setTimeout(resolve, WARM_MS))
  const [heard0, passed0, cpu0, startMs] = [(await ask()).heard, passed(), process.cpuUsage(), performance.now()]
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000))
  const [heard1, passed1, cpu, seconds] = [
    (await ask()).heard,
    passed(),
    process.cpuUsage(cpu0),
    (performance.now() - startMs) / 1_000,
  ]
  const count = passed1 - passed0
  console.log(`${cpus()[0]?.model}, Node ${process.version}, frames of ${FRAME_BYTES} bytes, ${seconds.toFixed(1)} s`)
  console.log(
    `passed on ${Math.round(count / seconds)} frames/s, heard again ${Math.round((heard1 - heard0) / seconds)} frames/s`,
  )
  console.log(`forwarder CPU ${((cpu.user + cpu.system) / count).toFixed(2)} µs/frame`)
  child.kill()
  process.exit(0)
}

function host(events: Partial<TransportHost>): TransportHost {
  return { up: () => {}, down: () => {}, frame: () => {}, problem: (error) => console.error(error.message), ...events }
}
