import type { SegmentInterface, SegmentReport } from '@nexus/node/api'
import type { Colors } from '../cli/output.ts'
import { printable, table } from '../cli/table.ts'
import { duration, plural } from '../cli/units.ts'

/** A report for people. */
export function reportText(report: SegmentReport, colors: Colors): string {
  if (report.interfaces.length === 0) return colors.yellow('No network interface has an IPv6 link-local address.')
  return report.interfaces.map((one) => interfaceText(report, one, colors)).join('\n\n')
}

function interfaceText(report: SegmentReport, one: SegmentInterface, colors: Colors): string {
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

function called(report: SegmentReport, one: SegmentInterface, nodeId: string): string {
  if (nodeId === report.nodeId) return 'is this node'
  const name = one.members.find((member) => member.nodeId === nodeId)?.name ?? ''
  return name === '' ? nodeId.slice(0, 12) : `${printable(name)} (${nodeId.slice(0, 8)})`
}

function admissionText(admission: string): string {
  return admission === 'open' ? 'open to anybody: the key proves one voice, and no more' : `admission by ${admission}`
}
