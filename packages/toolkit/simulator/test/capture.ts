import { toHex } from '@nexus/codec'
import { FRAME } from '@nexus/link'
import type { SimNode, Simulation } from '../src/index.ts'

/** What of a frame a listener may read without it being a leak: the NodeID of a beacon, the tag of who is called. */
const OPEN_PARTS: Record<number, readonly [number, number]> = { [FRAME.hello]: [1, 17], [FRAME.hs1]: [3, 11] }

/** Searches `frame` for each secret; the parts that are meant to be open are blanked first. Returns the names found. */
export function leaks(frame: Uint8Array, secrets: ReadonlyMap<string, Uint8Array>): string[] {
  const hidden = frame.slice()
  const open = OPEN_PARTS[frame[0]!]
  if (open !== undefined) hidden.fill(0, open[0], open[1])
  const hex = toHex(hidden)
  return [...secrets].filter(([, secret]) => hex.includes(toHex(secret))).map(([name]) => name)
}

/** Everything that a listener on a medium must never see, by name: keys, whole NodeIDs and their first 8 bytes, labels. */
export function secretsOf(nodes: readonly SimNode[]): Map<string, Uint8Array> {
  const secrets = new Map<string, Uint8Array>()
  for (const node of nodes) {
    secrets.set(`${node.name} public key`, node.identity.publicKey)
    secrets.set(`${node.name} agreement key`, node.identity.agreementKey)
    secrets.set(`${node.name} NodeID`, node.nodeId.subarray(0, 8))
    secrets.set(`${node.name} label`, new TextEncoder().encode(labelOf(node)))
  }
  return secrets
}

export const labelOf = (node: SimNode): string => `label-of-${node.name}`

/** Records every frame of a simulation, by medium. */
export function record(sim: Simulation): Map<string, Uint8Array[]> {
  const frames = new Map<string, Uint8Array[]>()
  sim.capture = (medium, _from, frame) => {
    const list = frames.get(medium) ?? []
    frames.set(medium, list)
    list.push(frame.slice())
  }
  return frames
}
