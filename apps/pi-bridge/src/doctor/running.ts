import { existsSync, statSync } from 'node:fs'
import { plural } from '../cli/units.ts'
import { type Check, failure, ok, skipped, warning } from './check.ts'

export const socket: Check = ({ socket: path, status }) => {
  if (path === undefined) return [skipped('socket', 'not known without a configuration')]
  if (status === undefined) return [failure('socket', `no node answers at ${path}`, 'start it: nexus-node start')]
  if (process.platform !== 'win32' && existsSync(path)) {
    const mode = statSync(path).mode & 0o777
    if ((mode & 0o077) !== 0)
      return [failure('socket', `${path} has mode ${mode.toString(8)}: others may steer the node`, `chmod 600 ${path}`)]
  }
  return [ok('socket', `a node answers at ${path}`)]
}

export const interfaces: Check = ({ status, events }) => {
  if (status === undefined) return [skipped('interfaces', 'no node is running')]
  const up = status.interfaces.map(({ id }) => id)
  const problems = events.filter(({ kind }) => kind === 'problem').slice(-3)
  const findings = problems.map(({ text, at }) =>
    warning(
      'interfaces',
      `${text} (${new Date(at).toLocaleTimeString('en-GB')})`,
      'see the log; the node keeps trying',
    ),
  )
  if (up.length > 0)
    return [ok('interfaces', `${plural(up.length, 'interface')} up: ${up.slice(0, 5).join(', ')}`), ...findings]
  const next = 'nothing connects this node yet: servers wait for their first client, clients for their server'
  return [warning('interfaces', 'no interface is up', next), ...findings]
}

export const neighbours: Check = ({ status }) => {
  if (status === undefined) return [skipped('neighbours', 'no node is running')]
  const { links, node } = status
  if (links.length > 0) return [ok('neighbours', plural(links.length, 'link'))]
  const closed = node.admission === 'trusted' || node.networkKey
  const next = closed
    ? 'both ends need the same network key and, with admission trusted, each other as peers'
    : 'see that a peer is running, in reach, and not behind a firewall'
  return [warning('neighbours', 'no neighbour is linked', next)]
}

export const refusals: Check = ({ status, events }) => {
  if (status === undefined) return [skipped('refusals', 'no node is running')]
  const findings = events
    .filter(({ kind }) => kind === 'refused' || kind === 'advisory')
    .slice(-3)
    .map(({ text }) =>
      warning('refusals', text, 'if you know it, add it with nexus-peer add; if not, nothing is to be done'),
    )
  return findings.length === 0 ? [ok('refusals', 'no peer was refused lately')] : findings
}

export const duplicates: Check = ({ status, events }) => {
  if (status === undefined) return [skipped('duplicates', 'no node is running')]
  const seen = events.filter(
    ({ kind, facts }) => kind === 'duplicate-identity' || facts['reason'] === 'duplicate-identity',
  )
  const own = seen.filter(({ facts }) => facts['self'] === true || facts['reason'] === 'duplicate-identity')
  if (own.length > 0) {
    const next = 'the same identity file runs on another machine: stop that node, or give it an identity of its own'
    return [failure('duplicates', own.at(-1)!.text, next)]
  }
  return seen.length > 0
    ? [warning('duplicates', seen.at(-1)!.text, 'tell its operator: two machines share one identity file')]
    : [ok('duplicates', 'no identity was seen twice')]
}
