/** Records exchanges of nodes of ours with stock ones into test/transcripts: `node --conditions=nexus-source record.ts`. */
import { writeFileSync } from 'node:fs'
import { toHex } from '@nexus/codec'
import {
  type Medium,
  type RunningReticulum,
  startReticulum,
  tcpClientMedium,
  tcpServerMedium,
  udpMedium,
} from '@nexus/reticulum/node'
import { RecordedNode, type Role, writeTranscript } from '../transcript.ts'
import { freeUdpPort, lossyWay } from './lossy.ts'
import { Peer } from './peer.ts'
import { RNS_VERSION } from './python.ts'

const onAnyPort = ['--listen', '127.0.0.1:0']
const asEcho = ['--identity', 'seed:echo', '--echo-resources', '--interval', '1', '--first-after', '0.5']
const asAsker = ['--identify', '--identity', 'seed:asks', '--channel', '--resource-size', '6000', '--no-compress']

/** A recorded node on real media and real time. */
class Recording {
  readonly name: string
  readonly recorded: RecordedNode
  readonly #setting: { role: Role; seed: number; startedUnixMs: number; target: string | null }
  readonly #started = performance.now()
  readonly #media: Medium[] = []
  #timer: NodeJS.Timeout | undefined
  #isInTurn = false

  constructor(name: string, role: Role, seed: number, target: Uint8Array | undefined) {
    this.name = name
    this.#setting = { role, seed, startedUnixMs: Date.now(), target: target === undefined ? null : toHex(target) }
    this.recorded = new RecordedNode(this.#setting, (atMs) => this.#wake(atMs))
  }

  async add(medium: Medium): Promise<void> {
    this.#media.push(medium)
    const places = new Map<object, number>()
    await medium.transport.start({
      up: (iface) => {
        this.#now()
        places.set(iface, this.recorded.interfaces.length)
        const { bitrateBps = iface.facts.bitrateBps, mtuBytes = 500 } = medium
        const facts = { name: `${iface.facts.kind}-${this.recorded.interfaces.length}`, bitrateBps, mtuBytes }
        this.recorded.attach(facts, (frame) => iface.send(frame))
      },
      down: () => {},
      frame: (iface, frame) => {
        const place = places.get(iface)
        this.#now()
        if (place !== undefined) this.recorded.receive(place, frame)
      },
      problem: () => {},
    })
  }

  async finish(): Promise<void> {
    const outcome = await this.recorded.outcome
    const happenings = [...this.recorded.happenings]
    clearTimeout(this.#timer)
    await Promise.all(this.#media.map(({ transport }) => transport.stop()))
    const text = writeTranscript({ name: this.name, peers: `Reticulum ${RNS_VERSION}`, ...this.#setting, happenings })
    writeFileSync(new URL(`../transcripts/${this.name}.txt`, import.meta.url), text)
    process.stdout.write(`${this.name}: ${happenings.length} happenings, ${text.length} bytes, ${outcome}\n`)
  }

  /** The clock stands while frames come that one read brought: what waits for the first sees them all. */
  #now(): void {
    if (this.#isInTurn) return
    this.#isInTurn = true
    queueMicrotask(() => {
      this.#isInTurn = false
    })
    const atUs = Math.round(1_000 * (performance.now() - this.#started))
    this.recorded.nowMs = Math.max(atUs, Math.round(1_000 * this.recorded.nowMs) + 1) / 1_000
  }

  #wake(atMs: number): void {
    clearTimeout(this.#timer)
    const waitMs = Math.max(0, Math.ceil(atMs - (performance.now() - this.#started)))
    this.#timer = setTimeout(() => {
      this.#now()
      this.recorded.tick()
    }, waitMs)
  }
}

const stops: { stop(): Promise<void> }[] = []
const until = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
  const one = await starting
  stops.push(one)
  return one
}
const peer = (...args: string[]) => until(Peer.start(...args))

async function transportNode(...media: Medium[]): Promise<RunningReticulum> {
  const starter = await startReticulum()
  const transport = starter.newIdentity()
  await starter.stop()
  return until(startReticulum({ media, transport }))
}

/** Two UDP ports that reach each other through ways that lose and reorder. */
async function badCable(seed: number, lossRatio = 0.05) {
  const [a, b] = [await freeUdpPort(), await freeUdpPort()]
  const options = { lossRatio, reorderRatio: 0.1 }
  const toA = await until(lossyWay(a, { ...options, seed }))
  const toB = await until(lossyWay(b, { ...options, seed: seed + 1 }))
  return { a, b, toA, toB }
}

async function asks(name: string, seed: number, target: Uint8Array, medium: Medium): Promise<void> {
  const recording = new Recording(name, 'asks', seed, target)
  await recording.add(medium)
  await recording.finish()
}

/** Stock programs ask for all there is, one after the other. */
async function questions(hash: Uint8Array, ...network: string[]): Promise<void> {
  const to = ['--destination', toHex(hash)]
  await (await peer('send', ...network, ...to, '--count', '2')).done()
  await (await peer('link', ...network, ...to, ...asAsker)).done()
}

const scenes: Record<string, (name: string) => Promise<void>> = {
  async 'asks-direct'(name) {
    const echo = await peer('echo', ...asEcho, ...onAnyPort)
    await asks(name, 1, echo.destination, tcpClientMedium(echo.address()))
  },
  async 'asks-through-stock'(name) {
    const middle = await peer('transport', ...onAnyPort, ...onAnyPort)
    const echo = await peer('echo', ...asEcho, '--connect', middle.address(0))
    await asks(name, 2, echo.destination, tcpClientMedium(middle.address(1), { mtuBytes: 500 }))
  },
  async 'asks-through-three'(name) {
    const first = await peer('transport', ...onAnyPort, ...onAnyPort)
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
    await transportNode(server, tcpClientMedium(first.address(1)))
    const last = await peer('transport', ...onAnyPort, '--connect', server.address as string)
    const echo = await peer('echo', ...asEcho, '--connect', last.address(0))
    await asks(name, 3, echo.destination, tcpClientMedium(first.address(0)))
  },
  async 'asks-under-loss'(name) {
    const { a, b, toA, toB } = await badCable(7)
    const echo = await peer('echo', ...asEcho, '--udp', `127.0.0.1:${b}:${toA.address}`)
    await asks(name, 4, echo.destination, udpMedium({ host: '127.0.0.1', port: a, peers: [toB.address] }))
  },
  async 'answers-direct'(name) {
    const recording = new Recording(name, 'answers', 5, undefined)
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
    await recording.add(server)
    await questions(recording.recorded.ownHash as Uint8Array, '--connect', server.address as string)
    await recording.finish()
  },
  async 'relays-between-stock'(name) {
    const recording = new Recording(name, 'relays', 6, undefined)
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
    await recording.add(server)
    const echo = await peer('echo', ...asEcho, '--connect', server.address as string)
    await questions(echo.destination, '--connect', server.address as string)
    await recording.finish()
  },
  async 'relays-from-a-bad-cable'(name) {
    const { a, b, toA, toB } = await badCable(11, 0.02)
    const recording = new Recording(name, 'relays', 7, undefined)
    const server = tcpServerMedium({ host: '127.0.0.1', port: 0 })
    await recording.add(server)
    await recording.add(udpMedium({ host: '127.0.0.1', port: a, peers: [toB.address] }))
    const echo = await peer('echo', ...asEcho, '--udp', `127.0.0.1:${b}:${toA.address}`)
    await questions(echo.destination, '--connect', server.address as string)
    await recording.finish()
  },
}

const wanted = process.argv.slice(2)
for (const [name, scene] of Object.entries(scenes)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  try {
    await scene(name)
  } finally {
    for (const one of stops.splice(0).reverse()) await one.stop()
  }
}
