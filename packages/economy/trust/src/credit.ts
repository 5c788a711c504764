import { fromHex, toHex } from '@nexus/codec'
import { ACCOUNTS_MAX, FRIEND_OF_FRIEND_SHARE } from './limits.ts'
import type { TrustedPeers } from './peers.ts'
import type { TrustStatements } from './statements.ts'

interface Account {
  /** What the node owes now, in whole μNXS. */
  owesMicro: bigint
  /** What it came to owe anew in the present epoch. */
  newMicro: bigint
  /** The trusted peer, in hexadecimal, whose line it draws on; undefined: its own. */
  voucher: string | undefined
  /** It did not pay: it gets nothing more, and its debt stays with its voucher. */
  defaulted: boolean
}

/**
 * Credit for trusted peers and for their friends (docs/spec/trust.md): a direct peer has the line that was configured, a
 * friend of it a tenth, nobody else any; what a peer and its friends owe together never passes the peer's line.
 */
export class Credit {
  readonly #peers: TrustedPeers
  readonly #statements: TrustStatements
  readonly #accounts = new Map<string, Account>()

  constructor(peers: TrustedPeers, statements: TrustStatements) {
    this.#peers = peers
    this.#statements = statements
  }

  /** The most that a node may owe, were nobody else to owe anything: its line, a tenth of its best voucher's, or 0. */
  lineMicro(nodeId: Uint8Array): bigint {
    const account = this.#accounts.get(toHex(nodeId))
    if (account?.defaulted) return 0n
    const own = this.#peers.find(nodeId)
    if (own !== undefined) return own.creditLineMicro
    const voucher = this.#voucherOf(nodeId, account)
    return voucher === undefined ? 0n : voucher.lineMicro / FRIEND_OF_FRIEND_SHARE
  }

  /** How much more a node may come to owe now: within its line, its voucher's, and what an epoch allows. */
  availableMicro(nodeId: Uint8Array): bigint {
    const name = toHex(nodeId)
    const account = this.#accounts.get(name)
    const line = this.lineMicro(nodeId)
    let available = line - (account?.owesMicro ?? 0n)
    const own = this.#peers.find(nodeId)
    available = least(available, (own?.creditPerEpochMicro ?? line) - (account?.newMicro ?? 0n))
    const root = own === undefined ? this.#voucherOf(nodeId, account) : { name, lineMicro: own.creditLineMicro }
    if (root !== undefined) available = least(available, root.lineMicro - this.#owedThrough(root.name))
    return available > 0n ? available : 0n
  }

  /** What a node owes. */
  owesMicro(nodeId: Uint8Array): bigint {
    return this.#accounts.get(toHex(nodeId))?.owesMicro ?? 0n
  }

  /** Whether a node did not pay what it owed. */
  isDefaulted(nodeId: Uint8Array): boolean {
    return this.#accounts.get(toHex(nodeId))?.defaulted === true
  }

  /**
   * A node comes to owe more. False, and nothing is changed: it may not.
   * @throws {RangeError} for an amount below 0
   */
  charge(nodeId: Uint8Array, micro: bigint): boolean {
    if (micro < 0n) throw new RangeError('a charge is not negative')
    if (micro > this.availableMicro(nodeId)) return false
    const account = this.#open(nodeId)
    if (account === undefined) return false
    account.owesMicro += micro
    account.newMicro += micro
    return true
  }

  /** A node paid; more than it owes is its own loss. A defaulter that paid everything is a debtor like any other again. */
  paid(nodeId: Uint8Array, micro: bigint): void {
    const name = toHex(nodeId)
    const account = this.#accounts.get(name)
    if (account === undefined) return
    account.owesMicro = micro >= account.owesMicro ? 0n : account.owesMicro - micro
    if (account.owesMicro > 0n) return
    account.defaulted = false
    account.voucher = undefined
    if (account.newMicro === 0n) this.#accounts.delete(name)
  }

  /** A node did not pay in time: until it does, it gets nothing, and its debt counts against its voucher. */
  default(nodeId: Uint8Array): void {
    const account = this.#accounts.get(toHex(nodeId))
    if (account !== undefined && account.owesMicro > 0n) account.defaulted = true
  }

  /** Another epoch began: what it allows is allowed anew. */
  nextEpoch(): void {
    for (const [name, account] of [...this.#accounts]) {
      account.newMicro = 0n
      if (account.owesMicro === 0n) this.#accounts.delete(name)
    }
  }

  #open(nodeId: Uint8Array): Account | undefined {
    const name = toHex(nodeId)
    let account = this.#accounts.get(name)
    if (account === undefined) {
      if (this.#accounts.size >= ACCOUNTS_MAX && !this.#makeRoom()) return undefined
      account = { owesMicro: 0n, newMicro: 0n, voucher: undefined, defaulted: false }
      this.#accounts.set(name, account)
    }
    // Whose line it draws on stays the same until it owes nothing.
    if (this.#peers.find(nodeId) === undefined) account.voucher ??= this.#voucherOf(nodeId, account)?.name
    return account
  }

  #makeRoom(): boolean {
    for (const [name, account] of this.#accounts) {
      if (account.owesMicro === 0n && account.newMicro === 0n) return this.#accounts.delete(name)
    }
    return false
  }

  /** The peer that a node draws on: the one it owes through while it owes, else the trusted one with the longest line. */
  #voucherOf(nodeId: Uint8Array, account: Account | undefined): { name: string; lineMicro: bigint } | undefined {
    let best: { name: string; lineMicro: bigint } | undefined
    for (const name of this.#statements.vouchersOf(nodeId)) {
      if (account?.voucher !== undefined && account.voucher !== name) continue
      const peer = this.#peers.find(fromHex(name))
      if (peer === undefined || this.#accounts.get(name)?.defaulted) continue
      if (best === undefined || peer.creditLineMicro > best.lineMicro) best = { name, lineMicro: peer.creditLineMicro }
    }
    return best
  }

  /** What a peer and the friends that draw on it owe together. */
  #owedThrough(name: string): bigint {
    let sum = 0n
    for (const [debtor, { owesMicro, voucher }] of this.#accounts) {
      if (debtor === name || voucher === name) sum += owesMicro
    }
    return sum
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}
