/** Which entries of our packages run everywhere, and which need Node.js. */

/** Sub-paths that say so, in any package. */
const WORLDLY_ENTRIES: Readonly<Record<string, string>> = {
  './node': 'Node.js itself',
  './server': 'listening sockets',
  './proxy': 'sockets of its own, to disturb the traffic of others',
  './sqlite': 'a database on disk',
  './sqlite/thread': 'the thread that writes it',
  './postgres': 'a database server',
  './testing': 'a test runner',
}

/** Packages that drive the world, except for their sub-paths that are cores. */
const WORLDLY_PACKAGES: Readonly<Record<string, string>> = {
  '@nexus/transport-udp': 'sockets',
  '@nexus/transport-tcp': 'sockets',
  '@nexus/transport-serial': 'serial ports',
  '@nexus/node': 'transports, clock, randomness and disk',
  '@nexus/dashboard': 'its built page, from disk',
}
const CORE_ENTRIES = ['./core']

/** Why an entry (`.` or `./name`, as in `exports`) needs Node.js; undefined for one that must bundle for a browser. */
export function worldOf(packageName: string, entry: string): string | undefined {
  if (CORE_ENTRIES.includes(entry)) return undefined
  return WORLDLY_ENTRIES[entry] ?? WORLDLY_PACKAGES[packageName]
}
