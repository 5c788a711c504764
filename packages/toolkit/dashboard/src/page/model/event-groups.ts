import type { NodeEvent, ViewName } from '@nexus/node/api'

export const GROUPS = ['links', 'routes', 'messages', 'payments', 'segment', 'problems', 'node'] as const
export type Group = (typeof GROUPS)[number]

/** Groups that only nodes with that view have. */
export const VIEW_OF: Partial<Record<Group, ViewName>> = {
  links: 'status',
  routes: 'status',
  messages: 'status',
  payments: 'status',
  segment: 'segment',
}

const GROUP_OF: Record<NodeEvent['kind'], Group> = {
  started: 'node',
  stopping: 'node',
  'interface-up': 'node',
  'interface-down': 'node',
  'link-up': 'links',
  'link-down': 'links',
  'route-up': 'routes',
  'route-changed': 'routes',
  'route-down': 'routes',
  'message-received': 'messages',
  'message-state': 'messages',
  refused: 'problems',
  'duplicate-identity': 'problems',
  advisory: 'problems',
  segment: 'segment',
  win: 'payments',
  paid: 'payments',
  settled: 'payments',
  channel: 'payments',
  problem: 'problems',
}

/** What a reader would look for an event under; kinds that this page does not know yet are problems. */
export function groupOf(kind: NodeEvent['kind']): Group {
  return GROUP_OF[kind] ?? 'problems'
}

/** An event's sentence with the names that are known by now: a node learns a neighbour's name only after it has met it. */
export function withNames(text: string, nameOfHead: ReadonlyMap<string, string>): string {
  return text.replace(/\b[0-9a-f]{8}\b/g, (head) => nameOfHead.get(head) ?? head)
}
