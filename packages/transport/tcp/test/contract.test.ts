import { QUEUE_BYTES_MAX } from '@nexus/transport'
import { checkTransport } from '@nexus/transport/testing'
import { tcpClient, tcpServer } from '../src/index.ts'

checkTransport('tcp', { reliable: true, queues: true, queueBytesMax: QUEUE_BYTES_MAX }, () => {
  const a = tcpServer({ host: '127.0.0.1', port: 0 })
  return { a, b: () => tcpClient({ address: a.address as string }) }
})
