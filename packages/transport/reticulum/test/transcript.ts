import { fromHex, toHex } from '@nexus/codec'
import type { Random } from '@nexus/crypto'
import { Identity } from '../src/identity.ts'
import type { InterfaceOptions, ReticulumInterface } from '../src/interface.ts'
import { Reticulum } from '../src/reticulum.ts'
import { cryptos } from './kit.ts'
import { seeded } from './virtual.ts'

const crypto = cryptos[1]!
/** Message type that the stock program gives back. */
const ECHO_TYPE = 0x0101
const FORMAT = 'nexus-reticulum-transcript/1'

/** What happened at a node: an interface came, a frame came in or went out, or time passed. */
export type Happening =
  | {
      readonly atMs: number
      readonly kind: 'up'
      readonly facts: Pick<InterfaceOptions, 'name' | 'bitrateBps' | 'mtuBytes'>
    }
  | { readonly atMs: number; readonly kind: 'in' | 'out'; readonly iface: number; readonly frame: Uint8Array }
  | { readonly atMs: number; readonly kind: 'tick' }

/** A live exchange of a node of ours with stock ones, with all that the node saw and did. */
export interface Transcript {
  readonly name: string
  readonly peers: string
  readonly role: Role
  readonly seed: number
  readonly startedUnixMs: number
  /** Hash of the stock destination that was asked. */
  readonly target: string | null
  readonly happenings: readonly Happening[]
}

/** What the node does of its own accord: asks a stock destination, answers stock ones, or passes on between them. */
export type Role = 'asks' | 'answers' | 'relays'

/** One line of JSON, then one for each happening: its time in ms, its kind, and what goes with it. */
export function writeTranscript({ happenings, ...head }: Transcript): string {
  const lines = happenings.map((one) => {
    if (one.kind === 'tick') return `${one.atMs} tick`
    return one.kind === 'up'
      ? `${one.atMs} up ${JSON.stringify(one.facts)}`
      : `${one.atMs} ${one.kind} ${one.iface} ${toHex(one.frame)}`
  })
  return `${JSON.stringify({ format: FORMAT, ...head })}\n${lines.join('\n')}\n`
}

/** Reads what {@link writeTranscript} wrote. */
export function readTranscript(text: string): Transcript {
  const [first = '', ...lines] = text.trimEnd().split('\n')
  const { format, ...head } = JSON.parse(first)
  if (format !== FORMAT) throw new TypeError(`a transcript of format ${format}`)
  const happenings = lines.map((line): Happening => {
    const [at, kind, ...rest] = line.split(' ')
    const atMs = Number(at)
    if (kind === 'tick') return { atMs, kind }
    if (kind === 'up') return { atMs, kind, facts: JSON.parse(rest.join(' ')) }
    return { atMs, kind: kind as 'in' | 'out', iface: Number(rest[0]), frame: fromHex(rest[1] as string) }
  })
  return { ...head, happenings }
}

/** A node whose clock stands between happenings, so that it does the same again given the same. */
export class RecordedNode {
  readonly node: Reticulum
  readonly happenings: Happening[] = []
  /** What the node did of its own accord, or how it failed. */
  readonly outcome: Promise<string>
  readonly interfaces: ReticulumInterface[] = []
  readonly ownHash: Uint8Array | undefined
  nowMs = 0

  /** @param wake called with the time at which a tick is wanted */
  constructor(setting: Pick<Transcript, 'role' | 'seed' | 'startedUnixMs' | 'target'>, wake: (atMs: number) => void) {
    const random = seeded(setting.seed)
    const ports = {
      crypto,
      random,
      nowMs: () => this.nowMs,
      unixMs: () => setting.startedUnixMs + this.nowMs,
      wake,
      fault: (error: unknown) => {
        throw error
      },
    }
    const isRelay = setting.role === 'relays'
    this.node = new Reticulum(ports, isRelay ? { transport: Identity.generate(crypto, random) } : {})
    if (setting.role === 'asks') this.outcome = ask(this.node, fromHex(setting.target as string), random)
    else {
      this.outcome = Promise.resolve(setting.role)
      if (setting.role === 'answers') this.ownHash = answer(this.node, random)
    }
  }

  attach(
    facts: Pick<InterfaceOptions, 'name' | 'bitrateBps' | 'mtuBytes'>,
    send: (frame: Uint8Array) => boolean,
  ): void {
    const iface = this.interfaces.length
    this.happenings.push({ atMs: this.nowMs, kind: 'up', facts })
    const note = (frame: Uint8Array) => {
      this.happenings.push({ atMs: this.nowMs, kind: 'out', iface, frame: frame.slice() })
      return send(frame)
    }
    this.interfaces.push(this.node.attach({ ...facts, send: note }))
  }

  receive(iface: number, frame: Uint8Array): void {
    this.happenings.push({ atMs: this.nowMs, kind: 'in', iface, frame: frame.slice() })
    this.node.receive(this.interfaces[iface] as ReticulumInterface, frame)
  }

  tick(): void {
    this.happenings.push({ atMs: this.nowMs, kind: 'tick' })
    this.node.tick()
  }
}

/** Waits until all that follows from a happening is done. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function pattern(length: number, of: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * at * (of + 1) + (at >> 7)) % 253)
}

/** All that one can ask of the stock program's echo destination. @throws where an answer is another than it must be */
async function ask(node: Reticulum, target: Uint8Array, random: Random): Promise<string> {
  await node.online()
  const to = await atLast(() => node.resolve(target, { timeoutMs: 20_000 }))
  const proved = await node.send(to, pattern(120, 1)).proved
  const link = await atLast(() => node.connect(to, { resources: 'all', timeoutMs: 4_000 }))
  const identity = Identity.generate(crypto, random)
  link.identify(identity)
  const echoes: Uint8Array[] = []
  link.packets.subscribe((data) => echoes.push(data))
  // A packet, or its proof, may be lost.
  while ((await link.send(pattern(200, 2)).proved) === undefined);
  const isAnswered = same(
    await atLast(() => link.request('/echo', pattern(100, 3), { timeoutMs: 4_000 })),
    pattern(100, 3),
  )
  const isLongAnswered = same(await atLast(() => link.request('/echo', pattern(3_000, 4))), pattern(3_000, 4))
  const messages = link.channel.messages.values()
  const sent = [5, 6, 7, 8].map((of) => pattern(50 + of, of))
  const sending = Promise.all(sent.map((data) => link.channel.send(ECHO_TYPE, data)))
  const areInOrder: boolean[] = []
  for (const data of sent) areInOrder.push(same((await messages.next()).value?.data, data))
  await sending
  const resource = link.resources.first()
  await link.sendResource(pattern(9_000, 9), { compress: false }).done
  const isReturned = same((await resource).data, pattern(9_000, 9))
  link.close()
  const areEchoes = echoes.every((data) => same(data, pattern(200, 2)))
  return JSON.stringify({
    hops: node.hopsTo(target),
    proved: proved !== undefined,
    areEchoes,
    isAnswered,
    isLongAnswered,
    areInOrder,
    isReturned,
  })
}

async function atLast<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act()
    } catch (error) {
      if (attempt === 6) throw error
    }
  }
}

function same(got: unknown, wanted: Uint8Array): boolean {
  return got instanceof Uint8Array && toHex(got) === toHex(wanted)
}

/** A destination that gives everything back, as the stock program asks for. */
function answer(node: Reticulum, random: Random): Uint8Array {
  const echo = node.serve(Identity.generate(crypto, random), 'interop.echo', { resources: 'all' })
  echo.onRequest('/echo', ({ data }) => data)
  echo.onRequest('/whoami', ({ link }) => link.remoteIdentity?.hash ?? new Uint8Array(0))
  echo.links.subscribe((link) => {
    link.packets.subscribe((data) => link.send(data))
    link.channel.messages.subscribe(
      ({ messageType, data }) => void link.channel.send(messageType, data).catch(() => {}),
    )
  })
  return echo.hash
}
