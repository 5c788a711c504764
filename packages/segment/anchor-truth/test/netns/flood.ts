// Runs inside a network namespace: `send PORT RATE SECONDS HEX` floods the group, `count PORT SECONDS` counts what a bare socket hears.
import { createSocket } from 'node:dgram'

const [role, port, ...rest] = process.argv.slice(2)
const GROUP = 'ff02::1%eth0'
const socket = createSocket({
  type: 'udp6',
  ipv6Only: true,
  reuseAddr: true,
  recvBufferSize: 1_048_576,
  lookup: (host, _options, done) => done(null, host, 6),
})
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)

if (role === 'count') {
  let heard = 0
  let firstMs = 0
  socket.on('message', () => {
    if (heard++ === 0) firstMs = performance.now()
  })
  socket.bind({ address: GROUP, port: Number(port) }, () => socket.addMembership('ff02::1', '::%eth0'))
  setTimeout(() => {
    say({ heard, perSecond: Math.round((heard * 1_000) / (performance.now() - firstMs)) })
    process.exit(0)
  }, Number(rest[0]) * 1_000)
} else {
  const [rate = '0', seconds = '0', hex = ''] = rest
  const bytes = Buffer.from(hex, 'hex')
  const beganMs = performance.now()
  let sent = 0
  socket.bind(0, () => {
    socket.setMulticastInterface('::%eth0')
    const beat = (): void => {
      const sinceMs = performance.now() - beganMs
      if (sinceMs > Number(seconds) * 1_000) {
        say({ sent, perSecond: Math.round((sent * 1_000) / sinceMs) })
        process.exit(0)
      }
      for (let burst = 0; sent < (sinceMs * Number(rate)) / 1_000 && burst < 500; burst++) {
        // Each one a new sequence, so that none is a cheap replay.
        bytes.writeUInt32LE(++sent, 14)
        socket.send(Buffer.from(bytes), Number(port), GROUP)
      }
      setImmediate(beat)
    }
    beat()
  })
}
