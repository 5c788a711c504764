import type { InterfaceStatus } from '@nexus/anchor-truth/node'
import { toHex } from '@nexus/codec'
import type { Colors } from '../cli/output.ts'
import { printable, table } from '../cli/table.ts'
import { duration, plural } from '../cli/units.ts'

/** What `nexus-segment` prints for programs. */
export interface SegmentReport {
  readonly schema: 'nexus-segment/1'
  readonly nodeId: string
  readonly name: string
  readonly interfaces: readonly InterfaceReport[]
}

interface InterfaceReport {
  readonly interface: string
  readonly address: string
  readonly phase: string
  readonly admission: string
  readonly ego: number
  readonly anchor: { readonly nodeId: string; readonly ego: number; readonly heardAgoMs: number } | null
  readonly epoch: { readonly number: number; readonly id: string; readonly ageMs: number } | null
  readonly members: readonly MemberReport[]
  readonly sent: Readonly<Record<string, number>>
  readonly received: Readonly<Record<string, number>>
  readonly drops: Readonly<Record<string, number>>
}

interface MemberReport {
  readonly nodeId: string
  readonly publicKey: string
  readonly address: string
  readonly name: string
  readonly type: string
  readonly zone: string
  readonly ego: number
  readonly isAnchor: boolean
  readonly uptimeSeconds: number
  readonly heardAgoMs: number
}

export function reportOf(
  node: { readonly nodeId: Uint8Array; readonly name: string },
  interfaces: readonly InterfaceStatus[],
  zones: ReadonlyMap<string, string>,
  addressText: (bytes: Uint8Array) => string,
): SegmentReport {
  return {
    schema: 'nexus-segment/1',
    nodeId: toHex(node.nodeId),
    name: node.name,
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

/** A report for people. */
export function reportText(report: SegmentReport, colors: Colors): string {
  if (report.interfaces.length === 0) return colors.yellow('No network interface has an IPv6 link-local address.')
  return report.interfaces.map((one) => interfaceText(report, one, colors)).join('\n\n')
}

function interfaceText(report: SegmentReport, one: InterfaceReport, colors: Colors): string {
  const { anchor, epoch } = one
  const leads =
    anchor === null
      ? colors.yellow('no anchor yet')
      : `anchor ${called(report, one, anchor.nodeId)}, ego ${anchor.ego}, heard ${duration(anchor.heardAgoMs)} ago`
  const key = epoch === null ? 'no key' : `epoch ${epoch.number}, ${duration(epoch.ageMs)} old`
  const head = `${colors.bold(printable(one.interface))}  ${leads}\n${colors.dim(
    `${one.phase}, ${key}, ${admissionText(one.admission)}, ${plural(one.members.length + 1, 'member')}`,
  )}`
  const rows = one.members.map((member) => [
    member.isAnchor ? '*' : '',
    printable(member.name) || '–',
    member.nodeId.slice(0, 12),
    member.type,
    printable(member.zone),
    String(member.ego),
    duration(member.uptimeSeconds * 1_000),
    `${duration(member.heardAgoMs)} ago`,
    printable(member.address),
  ])
  const titles = ['', 'NAME', 'NODE', 'TYPE', 'ZONE', 'EGO', 'UP', 'HEARD', 'ADDRESS']
  const members =
    rows.length === 0
      ? 'Nobody else is here.'
      : table(
          titles.map((title) => ({ title })),
          rows,
          colors,
        )
  const drops = Object.entries(one.drops).filter(([, count]) => count > 0)
  const dropped = drops.length === 0 ? 'none' : drops.map(([reason, count]) => `${count} ${reason}`).join(', ')
  return `${head}\n${members}\n${colors.dim(`dropped: ${dropped}`)}`
}

function called(report: SegmentReport, one: InterfaceReport, nodeId: string): string {
  if (nodeId === report.nodeId) return 'is this node'
  const name = one.members.find((member) => member.nodeId === nodeId)?.name ?? ''
  return name === '' ? nodeId.slice(0, 12) : `${printable(name)} (${nodeId.slice(0, 8)})`
}

function admissionText(admission: string): string {
  return admission === 'open' ? 'open to anybody: the key proves one voice, and no more' : `admission by ${admission}`
}
