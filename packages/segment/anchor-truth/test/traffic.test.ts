import { expect, test } from 'vitest'
import { countTraffic, raftPerHour } from './traffic.ts'

/** A tenth of an hour, 3 and 20 nodes; NEXUS_TRAFFIC=1 counts whole hours, up to 30 nodes. */
const isWhole = process.env['NEXUS_TRAFFIC'] !== undefined

test('messages of keys and elections are at least 95 % fewer than those of Raft as etcd runs it', {
  timeout: 10 * 60_000,
}, () => {
  const rows = []
  for (const mode of ['passphrase', 'allow-list'] as const) {
    for (const nodes of isWhole ? [3, 10, 30] : [3, 20]) {
      const traffic = countTraffic(nodes, mode, isWhole ? 1 : 0.1)
      const etcd = raftPerHour(nodes, 100)
      const reduction = 1 - traffic.keyAndElectionPerHour / etcd
      // Sealed keys take a datagram per 18 members; nobody has to ask.
      const datagrams = mode === 'passphrase' ? 180 : 60 * Math.ceil(nodes / 18)
      expect(traffic.keyAndElectionPerHour).toBeLessThanOrEqual(datagrams * 1.01)
      expect(reduction).toBeGreaterThanOrEqual(0.95)
      expect(traffic.pulsesPerNodeHour).toBeLessThan(760)
      rows.push({
        mode,
        ...traffic,
        'pulses in all': Math.round(traffic.pulsesPerNodeHour * nodes),
        etcd,
        'Raft at 15 s': raftPerHour(nodes, 5_000),
        reduction,
      })
    }
  }
  console.table(rows)
})
