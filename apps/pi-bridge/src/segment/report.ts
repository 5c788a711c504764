import type { NodeType } from '@nexus/anchor-truth'
import { addressText, type InterfaceStatus } from '@nexus/anchor-truth/node'
import { toHex } from '@nexus/codec'
import type { SegmentReport } from '@nexus/node/api'

/** Who reports. */
export interface Reporter {
  readonly nodeId: Uint8Array
  readonly name: string
  readonly type: NodeType
  readonly zone: string
}

/** What a node knows of its segments, as programs and the page read it. `zones`: names by their hash in hex. */
export function reportOf(
  node: Reporter,
  interfaces: readonly InterfaceStatus[],
  zones: ReadonlyMap<string, string>,
): SegmentReport {
  return {
    schema: 'nexus-segment/1',
    ...node,
    nodeId: toHex(node.nodeId),
    interfaces: interfaces.map((one) => ({
      interface: one.interfaceName,
      address: one.address,
      phase: one.phase,
      admission: one.admission,
      ego: one.ego,
      anchor: one.anchor === undefined ? null : { ...one.anchor, nodeId: toHex(one.anchor.nodeId) },
      epoch: one.epoch ?? null,
      members: one.members.map(({ nodeId, publicKey, source, zoneHash, ...rest }) => ({
        ...rest,
        nodeId: toHex(nodeId),
        publicKey: toHex(publicKey),
        address: `${addressText(source.address)}%${one.interfaceName}`,
        zone: zones.get(toHex(zoneHash)) ?? `#${toHex(zoneHash)}`,
      })),
      sent: one.sent,
      received: one.received,
      drops: one.drops,
    })),
  }
}
