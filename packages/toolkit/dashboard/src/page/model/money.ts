import type { EconomyReport } from '@nexus/node/api'
import type { ShownNode } from './topology.ts'

type Lottery = EconomyReport['lottery'][number]
type Channel = EconomyReport['channels'][number]

/** A win that was paid. Nodes are named by their NodeID. */
export interface Payment {
  readonly payer: string
  readonly relay: string
  readonly micro: bigint
}

export interface Money {
  /** What was paid between the last two looks. */
  readonly payments: readonly Payment[]
  /** By NodeID, the balance that it had when the page first saw it. */
  readonly openedMicro: ReadonlyMap<string, bigint>
  /** The balances of all shown nodes together, and what this stood at for longest; undefined with fewer than two. */
  readonly total: { readonly micro: bigint; readonly steadyMicro: bigint; readonly balances: number } | undefined
}

export const NO_MONEY: Money = { payments: [], openedMicro: new Map(), total: undefined }

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
  #run = { micro: 0n, looks: 0 }
  #longest = { micro: 0n, looks: 0 }
  #members = ''

  /** Takes what the nodes say now. Returns the money as it is known after that. */
  note(nodes: readonly ShownNode[]): Money {
    const economies = nodes.flatMap(({ status }): [string, EconomyReport][] =>
      status?.economy === undefined ? [] : [[status.node.nodeId, status.economy]],
    )
    const payments = economies.flatMap(([nodeId, now]) => {
      const before = this.#before.get(nodeId)
      return before === undefined ? [] : paymentsTo(nodeId, before, now)
    })
    this.#before = new Map(economies)
    const { openedMicro } = this.#money
    this.#money = {
      payments,
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

/** What a relay's counts have grown by; those of a relay that began anew have shrunk. */
function paymentsTo(relay: string, before: EconomyReport, now: EconomyReport): Payment[] {
  const earlier = new Map(before.lottery.map(({ peer, paidMicro }) => [peer, BigInt(paidMicro)]))
  return now.lottery
    .map(({ peer, paidMicro }) => ({ payer: peer, relay, micro: BigInt(paidMicro) - (earlier.get(peer) ?? 0n) }))
    .filter(({ micro }) => micro > 0n)
}

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

/** A sentence of a node with its amounts in NXS. */
export function withNxs(text: string): string {
  return text.replace(/\b(\d+) μNXS(?!\/)/g, (_, micro: string) => nxs(BigInt(micro)))
}
