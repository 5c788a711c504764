import { checkTransport } from '@nexus/transport/testing'
import { QUEUE_BYTES_MAX, udpTransport } from '../src/index.ts'

const traits = { reliable: false, queues: false, queueBytesMax: QUEUE_BYTES_MAX }

checkTransport('udp over IPv4', traits, () => {
  const a = udpTransport({ host: '127.0.0.1', port: 0, multicast: false })
  return { a, b: () => udpTransport({ host: '127.0.0.1', port: 0, peers: [a.address as string], multicast: false }) }
})

checkTransport('udp over IPv6', traits, () => {
  const a = udpTransport({ host: '::1', port: 0, multicast: false })
  return { a, b: () => udpTransport({ host: '::1', port: 0, peers: [a.address as string], multicast: false }) }
})

checkTransport('udp, a dual-stack socket and an IPv4 one', traits, () => {
  const a = udpTransport({ port: 0, multicast: false })
  return {
    a,
    b: () => {
      const port = a.address?.split(':').at(-1)
      return udpTransport({ host: '127.0.0.1', port: 0, peers: [`localhost:${port}`], multicast: false })
    },
  }
})
