import { checkTransport } from '@nexus/transport/testing'
import { driveInRealTime, MemoryMedium, type MemoryMediumOptions } from '../src/index.ts'

const queueBytesMax = 20_000

function pair(options: MemoryMediumOptions) {
  const medium = new MemoryMedium({ bitrateBps: 50_000_000, queueBytesMax, ...options })
  driveInRealTime(medium)
  return { a: medium.transport('a'), b: medium.transport('b') }
}

const traits = { reliable: true, queues: true, queueBytesMax }
checkTransport('memory, a cable', traits, () => pair({}))
checkTransport('memory, shared', traits, () => pair({ reach: 'shared' }))
checkTransport('memory, shared, half duplex, slow', traits, () =>
  pair({ reach: 'shared', duplex: 'half', impairment: { latencyMs: 3, jitterMs: 2 } }),
)
checkTransport('memory, addressed', traits, () => pair({ reach: 'shared', addressed: true }))
checkTransport('memory, lossless but out of order', { ...traits, reliable: false }, () =>
  pair({ impairment: { reorderRatio: 0.3, reorderMs: 5 } }),
)
