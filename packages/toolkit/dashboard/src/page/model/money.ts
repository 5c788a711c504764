import type { EconomyReport } from '@nexus/node/api'
import { counted } from './format.ts'
import type { ShownNode } from './topology.ts'

type Lottery = EconomyReport['lottery'][number]
type Channel = EconomyReport['channels'][number]

interface Seen {
  /** Number of the look in which it was seen. */
  readonly look: number
  readonly sequence: number
  /** Time at this page, ISO 8601. */
  readonly at: string
}

/** Something about money that two looks in a row differ by. Nodes are named by their NodeID. */
export type MoneyEvent = Seen &
  (
    | { readonly kind: 'won'; readonly payer: string; readonly relay: string; readonly packets: number }
    | { readonly kind: 'paid'; readonly payer: string; readonly relay: string; readonly micro: bigint }
    | { readonly kind: 'settled'; readonly node: string; readonly count: number; readonly changeMicro: bigint }
  )
export type Payment = Extract<MoneyEvent, { kind: 'paid' }>

export interface Money {
  /** Newest first. */
  readonly events: readonly MoneyEvent[]
  /** By NodeID, the balance that it had when the page first saw it. */
  readonly openedMicro: ReadonlyMap<string, bigint>
  /** The balances of all shown nodes together, and what this stood at for longest; undefined with fewer than two. */
  readonly total: { readonly micro: bigint; readonly steadyMicro: bigint; readonly balances: number } | undefined
}

export const NO_MONEY: Money = { events: [], openedMicro: new Map(), total: undefined }
export const MONEY_EVENTS_MAX = 300

/** What a node has with one neighbour: a channel, packets in the lottery, or both. */
export interface Account {
  readonly peer: string
  readonly channel: Channel | undefined
  readonly lottery: Lottery | undefined
}

export function accountsOf({ channels, lottery }: EconomyReport): Account[] {
  const peers = [...new Set([...lottery, ...channels].map(({ peer }) => peer))].sort()
  return peers.map((peer) => ({
    peer,
    channel: channels.find((each) => each.peer === peer),
    lottery: lottery.find((each) => each.peer === peer),
  }))
}

/** Follows the money of all shown nodes from look to look. */
export class MoneyWatch {
  #money: Money = NO_MONEY
  #before: ReadonlyMap<string, EconomyReport> = new Map()
  #sequence = 0
  #run = { micro: 0n, looks: 0 }
  #longest = { micro: 0n, looks: 0 }
  #members = ''

  /** Takes what the nodes say now. Returns the money as it is known after that. */
  note(nodes: readonly ShownNode[], look: number, at: string): Money {
    const economies = nodes.flatMap(({ status }): [string, EconomyReport][] =>
      status?.economy === undefined ? [] : [[status.node.nodeId, status.economy]],
    )
    const fresh: MoneyEvent[] = []
    for (const [nodeId, now] of economies) {
      const before = this.#before.get(nodeId)
      if (before === undefined) continue
      for (const change of changesOf(nodeId, before, now)) {
        fresh.unshift({ ...change, look, at, sequence: this.#sequence++ })
      }
    }
    this.#before = new Map(economies)
    const { events, openedMicro } = this.#money
    this.#money = {
      events: fresh.length === 0 ? events : [...fresh, ...events].slice(0, MONEY_EVENTS_MAX),
      openedMicro: new Map(
        economies.map(([nodeId, now]) => [nodeId, openedMicro.get(nodeId) ?? BigInt(now.balanceMicro)]),
      ),
      total: economies.length < Math.max(2, nodes.length) ? undefined : this.#total(economies),
    }
    return this.#money
  }

  /** A settlement reaches one node's ledger before another's, so what stood for longest is what there is. */
  #total(economies: readonly (readonly [string, EconomyReport])[]): Money['total'] {
    const members = economies.map(([nodeId]) => nodeId).join()
    const micro = economies.reduce((sum, [, { balanceMicro }]) => sum + BigInt(balanceMicro), 0n)
    if (members !== this.#members) {
      this.#members = members
      this.#longest = { micro, looks: 0 }
      this.#run = { micro, looks: 0 }
    }
    this.#run = { micro, looks: micro === this.#run.micro ? this.#run.looks + 1 : 1 }
    if (this.#run.looks > this.#longest.looks) this.#longest = this.#run
    return { micro, steadyMicro: this.#longest.micro, balances: economies.length }
  }
}

type Change = MoneyEvent extends infer Each ? (Each extends unknown ? Omit<Each, keyof Seen> : never) : never

/** In the order in which it happens: a packet wins, its win is paid, payments are settled. */
function changesOf(node: string, before: EconomyReport, now: EconomyReport): Change[] {
  const earlier = new Map(before.lottery.map((each) => [each.peer, each]))
  const changes: Change[] = []
  for (const { peer, wins } of now.lottery) {
    const packets = wins - (earlier.get(peer)?.wins ?? 0)
    if (packets > 0) changes.push({ kind: 'won', payer: peer, relay: node, packets })
  }
  for (const { peer, paidMicro } of now.lottery) {
    const micro = BigInt(paidMicro) - BigInt(earlier.get(peer)?.paidMicro ?? 0)
    if (micro > 0n) changes.push({ kind: 'paid', payer: peer, relay: node, micro })
  }
  const count = now.settlements - before.settlements
  const changeMicro = BigInt(now.balanceMicro) - BigInt(before.balanceMicro)
  if (count > 0) changes.push({ kind: 'settled', node, count, changeMicro })
  return changes
}

/** Those in which a node has a part. */
export function moneyEventsOf(events: readonly MoneyEvent[], nodeId: string): MoneyEvent[] {
  return events.filter((event) =>
    event.kind === 'settled' ? event.node === nodeId : event.relay === nodeId || event.payer === nodeId,
  )
}

/** A money event as a sentence, with the nodes' names. */
export function moneySentence(event: MoneyEvent, name: (nodeId: string) => string): string {
  switch (event.kind) {
    case 'won':
      return `${counted(event.packets, 'packet')} from ${name(event.payer)} won the lottery at ${name(event.relay)}.`
    case 'paid':
      return `${name(event.payer)} paid ${name(event.relay)} ${nxs(event.micro)} for relaying.`
    case 'settled': {
      const { count, changeMicro } = event
      const reached = `${counted(count, 'settlement')} reached the ledger of ${name(event.node)}`
      return changeMicro === 0n ? `${reached}, between others.` : `${reached}: its balance ${movement(changeMicro)}.`
    }
  }
}

const movement = (micro: bigint): string => `${micro > 0n ? 'rose' : 'fell'} by ${nxs(micro > 0n ? micro : -micro)}`

const GROUPED = new Intl.NumberFormat('en')

/** An amount of μNXS in NXS, to the thousandth: `1,000.000 NXS`, `−0.612 NXS`; less than one is `under 0.001 NXS`. */
export function nxs(micro: bigint): string {
  const size = micro < 0n ? -micro : micro
  if (size > 0n && size < 1_000n) return `${micro < 0n ? 'over −' : 'under '}0.001\u00a0NXS`
  const thousandths = (size + 500n) / 1_000n
  const [whole, part] = [thousandths / 1_000n, thousandths % 1_000n]
  return `${micro < 0n ? '−' : ''}${GROUPED.format(whole)}.${String(part).padStart(3, '0')}\u00a0NXS`
}

/** A change of an amount, with its sign. */
export function nxsChange(micro: bigint): string {
  return micro > 0n ? `+${nxs(micro).replace('under ', '')}` : micro === 0n ? 'none' : nxs(micro)
}
