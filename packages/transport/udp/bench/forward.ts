// What a forwarder takes: a second process makes frames and hears them again, this one passes them on.
// node --conditions=nexus-source packages/transport/udp/bench/forward.ts
import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Interface, TransportHost } from '@nexus/transport'
import { udpTransport } from '../src/index.ts'

const FRAME_BYTES = 484
const SECONDS = Number(process.env['SECONDS'] ?? 4)
const WARM_MS = 800
/** Frames on their way at once: a receive buffer of the kernel holds more. */
const WINDOW = 128

if (process.argv[2] === 'peer') await peer(process.argv[3] as string)
else await forwarder()

/** Keeps so many frames on their way, and counts what comes back. */
async function peer(address: string): Promise<void> {
  let heard = 0
  let sent = 0
  const frame = new Uint8Array(randomBytes(FRAME_BYTES))
  const transport = udpTransport({ host: '127.0.0.1', port: 0, multicast: false })
  let iface: Interface | undefined
  await transport.start(host({ up: (opened) => (iface = opened), frame: () => heard++ }))
  const pump = () => {
    for (; sent - heard < WINDOW; sent++) iface?.send(frame, address)
    setImmediate(pump)
  }
  let last = -1
  // What was lost would hold the window shut for ever.
  setInterval(() => {
    if (heard === last) sent = heard
    last = heard
  }, 50)
  pump()
  process.on('message', () => process.send?.({ heard }))
}

async function forwarder(): Promise<void> {
  let passed = 0
  const transport = udpTransport({ host: '127.0.0.1', port: 0, multicast: false })
  await transport.start(
    host({
      frame: (iface, frame, from) => {
        if (iface.send(frame, from)) passed++
      },
    }),
  )
  const child = fork(fileURLToPath(import.meta.url), ['peer', transport.address as string])
  const ask = () => new Promise<{ heard: number }>((resolve) => child.once('message', resolve).send('heard'))
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
