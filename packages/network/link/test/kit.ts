import { portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity, type Identity } from '@nexus/identity'
import type { InterfaceFacts } from '@nexus/transport'
import type { LinkLayerOptions } from '../src/index.ts'
import { LinkPump, type MediumFaults, type PumpNode } from '../src/testing.ts'

export const crypto = await nodeCrypto()
export const portableCrypto = portable()

export const UDP: InterfaceFacts = {
  id: 'udp',
  kind: 'udp',
  mtuBytes: 1_400,
  bitrateBps: 100_000_000,
  duplex: 'full',
  dutyCycle: 1,
  reach: 'shared',
  addressed: true,
}
export const TCP: InterfaceFacts = { ...UDP, id: 'tcp', kind: 'tcp', reach: 'point', addressed: false, mtuBytes: 8_192 }
export const RADIO: InterfaceFacts = {
  id: 'radio',
  kind: 'lora',
  mtuBytes: 508,
  bitrateBps: 5_470,
  duplex: 'half',
  dutyCycle: 1,
  reach: 'shared',
  addressed: false,
}
export const SMALL: InterfaceFacts = { ...RADIO, id: 'small', kind: 'memory', mtuBytes: 37, bitrateBps: 50_000 }

const identities = new Map<string, Identity>()

export function identityOf(name: string): Identity {
  let identity = identities.get(name)
  if (identity === undefined) {
    identity = createIdentity(crypto, crypto.blake2b(new TextEncoder().encode(name)))
    identities.set(name, identity)
  }
  return identity
}

/** The names in the order of their NodeIDs: the first one starts. */
export function byNodeId(...names: string[]): string[] {
  return names.toSorted((a, b) => Buffer.compare(identityOf(a).nodeId, identityOf(b).nodeId))
}

export function optionsOf(name: string, seed: number | string, more: Partial<LinkLayerOptions> = {}): LinkLayerOptions {
  return { crypto, identity: identityOf(name), random: seededRandom(`${name} ${seed}`), ...more }
}

export interface Pair {
  readonly pump: LinkPump
  readonly a: PumpNode
  readonly b: PumpNode
}

/** Two nodes on one medium; they are not linked yet. */
export function pair(
  facts: InterfaceFacts,
  seed: number | string = 1,
  faults: MediumFaults = {},
  more: { a?: Partial<LinkLayerOptions>; b?: Partial<LinkLayerOptions> } = {},
): Pair {
  const pump = new LinkPump(seededRandom(`pump ${seed}`))
  pump.addMedium(facts, faults)
  const a = pump.addNode('a', optionsOf('a', seed, more.a))
  const b = pump.addNode('b', optionsOf('b', seed, more.b))
  pump.attach(a, facts.id)
  pump.attach(b, facts.id)
  return { pump, a, b }
}

export function areLinked({ a, b }: Pair): boolean {
  return (
    a.links.length === 1 &&
    b.links.length === 1 &&
    a.links[0]!.handshakeHash.join() === b.links[0]!.handshakeHash.join()
  )
}

/** Two nodes, linked. */
export function linkedPair(facts: InterfaceFacts, seed: number | string = 1, faults: MediumFaults = {}): Pair {
  const nodes = pair(facts, seed, faults)
  if (!nodes.pump.run(600_000, () => areLinked(nodes))) throw new Error('the pair did not link')
  return nodes
}
