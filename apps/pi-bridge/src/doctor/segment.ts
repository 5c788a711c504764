import { existsSync } from 'node:fs'
import type { SegmentInterface } from '@nexus/node/api'
import { plural } from '../cli/units.ts'
import { segmentSettings } from '../segment/settings.ts'
import { type Check, type Finding, failure, ok, skipped, warning } from './check.ts'

/** Nobody needs longer to find an anchor on a link that loses nothing (docs/spec/anchor-truth.md). */
const COLD_START_MS = 8_500
/** Of what was heard, so much may be refused before it is worth a word. */
const DROPPED_SHARE = 0.2
const DROPPED_MIN = 50
/** Drops that are part of any segment: one's own words, and those of others’ keys just before one has them. */
const USUAL = new Set(['self', 'unknown-epoch', 'unproven'])

export const segment: Check = ({ loaded, status, segment: report }) => {
  if (loaded === undefined) return [skipped('segment', 'not known without a configuration')]
  if (!loaded.config.segment.enabled) return [skipped('segment', 'the node takes part in no segment')]
  const findings = settingsOf(loaded.config.segment)
  if (status === undefined) return [...findings, skipped('segment', 'no node is running')]
  if (report === undefined) {
    const next = 'restart the node: nexus-node restart'
    return [
      ...findings,
      failure('segment', 'the configuration says it takes part, but the running node does not', next),
    ]
  }
  if (report.interfaces.length === 0) {
    const next = 'turn IPv6 on, or see segment.interfaces'
    return [...findings, warning('segment', 'no network interface has an IPv6 link-local address', next)]
  }
  return [...findings, ...report.interfaces.flatMap((one) => segmentOn(one, status.node.upForMs))]
}

function settingsOf(table: Parameters<typeof segmentSettings>[0]): Finding[] {
  try {
    const { passphraseFile, admission } = segmentSettings(table, process.env)
    if (passphraseFile !== undefined && !existsSync(passphraseFile)) {
      return [
        failure('segment', `the passphrase file ${passphraseFile} does not exist`, 'make it, or name another one'),
      ]
    }
    return admission === 'open'
      ? [
          warning(
            'segment',
            'admission is open: anybody on the link may join, and lead',
            'set a passphrase file or a list',
          ),
        ]
      : []
  } catch (error) {
    return [failure('segment', (error as Error).message, 'docs/guides/segment.md has all settings')]
  }
}

function segmentOn(one: SegmentInterface, upForMs: number): Finding[] {
  const { anchor, epoch, members, phase } = one
  const where = `on ${one.interface}`
  const unusual = Object.entries(one.drops).filter(([reason]) => !USUAL.has(reason))
  const dropped = unusual.reduce((sum, [, count]) => sum + count, 0)
  const heard = one.received.pulse + one.received.epoch + one.received.request
  const findings: Finding[] = []
  if (anchor !== null && epoch !== null) {
    const leads = phase === 'anchor' ? 'this node is the anchor' : `the anchor is ${anchor.nodeId.slice(0, 12)}`
    findings.push(ok('segment', `${where}: ${leads}, ${plural(members.length, 'other member')}`))
  } else if (upForMs < COLD_START_MS) findings.push(ok('segment', `${where}: it still looks for its anchor`))
  else {
    const next = 'see that UDP port and passphrase are the same on all nodes, and that no firewall drops ff02::1'
    findings.push(warning('segment', `${where}: no anchor, no key`, next))
  }
  if (dropped >= DROPPED_MIN && dropped > DROPPED_SHARE * (heard + dropped)) {
    const [[reason, count] = ['', 0]] = [...unusual].sort(([, a], [, b]) => b - a)
    const next =
      'another passphrase or list on the link, or somebody who forges; docs/spec/anchor-truth.md has the reasons'
    findings.push(
      warning('segment', `${where}: ${dropped} datagrams were dropped, most of them (${count}) for ${reason}`, next),
    )
  }
  return findings
}
