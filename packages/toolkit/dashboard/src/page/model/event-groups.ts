import type { NodeEvent } from '@nexus/node/api'

export const GROUPS = ['links', 'routes', 'messages', 'problems', 'node'] as const
export type Group = (typeof GROUPS)[number]

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
  problem: 'problems',
}

/** What a reader would look for an event under; kinds that this page does not know yet are problems. */
export function groupOf(kind: NodeEvent['kind']): Group {
  return GROUP_OF[kind] ?? 'problems'
}
