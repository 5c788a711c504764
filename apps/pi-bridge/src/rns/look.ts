import { toHex } from '@nexus/codec'
import { pause } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import type { Context } from '../cli/frame.ts'
import { printable, table } from '../cli/table.ts'
import { duration } from '../cli/units.ts'
import { hashOf, type NetworkFlags, onNetwork, pretty } from './session.ts'

const BETWEEN_PROBES_MS = 500

export interface StatusFlags extends NetworkFlags {
  readonly for: number
}

export interface ProbeFlags extends NetworkFlags {
  readonly count: number
  readonly size: number
}

/** Interfaces and what was heard over them. */
export async function status({ flags, out, signal }: Context<StatusFlags>): Promise<number> {
  await onNetwork(flags, async ({ node }) => {
    out.say(`listening for ${duration(flags.for)}`)
    await pause(flags.for, signal)
    const interfaces = [...node.interfaces].map(({ name, bitrateBps, counts }) => ({ name, bitrateBps, ...counts }))
    const destinations = [...node.known].map(({ destination, identity, appData, path }) => ({
      hash: toHex(destination),
      identity: toHex(identity.hash),
      appData: appData === undefined ? null : toHex(appData),
      hops: path?.hops ?? null,
      interface: path?.iface.name ?? null,
    }))
    out.json({ schema: 'nexus-rns-status/1', interfaces, destinations })
    const columns = [{ title: 'INTERFACE' }, { title: 'IN', align: 'right' }, { title: 'OUT', align: 'right' }] as const
    const rows = interfaces.map(({ name, bytesIn, bytesOut }) => [printable(name), `${bytesIn} B`, `${bytesOut} B`])
    out.print(table(columns, rows, out.colors))
    const heard = [{ title: 'DESTINATION' }, { title: 'HOPS', align: 'right' }, { title: 'INTERFACE' }] as const
    const heardRows = destinations.map((each) => [
      each.hash,
      String(each.hops ?? '–'),
      printable(each.interface ?? '–'),
    ])
    out.print(`\n${table(heard, heardRows, out.colors)}`)
  })
  return EXIT.ok
}

/** The way to a destination. */
export async function path({ flags, out, signal }: Context<NetworkFlags>, text: string): Promise<number> {
  const hash = hashOf(text)
  await onNetwork(flags, async ({ node }) => {
    const known = await node.resolve(hash, { timeoutMs: flags.timeout, signal })
    const { hops, nextHop, iface } = known.path!
    out.json({ schema: 'nexus-rns-path/1', hash: toHex(hash), hops, nextHop: toHex(nextHop), interface: iface.name })
    out.print(
      `${pretty(hash)} is ${hops} ${hops === 1 ? 'hop' : 'hops'} away, by ${pretty(nextHop)} on ${printable(iface.name)}`,
    )
  })
  return EXIT.ok
}

/** Packets and their proofs. */
export async function probe({ flags, out, signal }: Context<ProbeFlags>, text: string): Promise<number> {
  const hash = hashOf(text)
  let answered = 0
  await onNetwork(flags, async ({ node }) => {
    const to = await node.resolve(hash, { timeoutMs: flags.timeout, signal })
    for (let n = 1; n <= flags.count && !signal.aborted; n++) {
      const payload = crypto.getRandomValues(new Uint8Array(flags.size))
      const rttMs = (await node.send(to, payload, { timeoutMs: flags.timeout }).proved) ?? null
      if (rttMs !== null) answered++
      out.json({ schema: 'nexus-rns-probe/1', hash: toHex(hash), hops: to.path!.hops, rttMs })
      out.print(rttMs === null ? `${n}: no proof` : `${n}: proved after ${duration(rttMs)}, over ${to.path!.hops} hops`)
      if (n < flags.count) await pause(BETWEEN_PROBES_MS, signal)
    }
  })
  return answered > 0 ? EXIT.ok : EXIT.unanswered
}
