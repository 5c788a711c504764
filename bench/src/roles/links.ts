/** One end of a link over TCP: `links.ts receiver|sender`. */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { MESSAGE } from '@nexus/link'
import { tcpClient, tcpServer } from '@nexus/transport-tcp'
import { serve } from '../child.ts'
import { until } from '../until.ts'
import { LinkEnd } from './link-end.ts'

const crypto = await nodeCrypto()
if (process.argv[2] === 'receiver') {
  const server = tcpServer({ host: '127.0.0.1', port: 0 })
  const end = new LinkEnd(crypto, server)
  let received = 0
  end.onMessage = () => received++
  serve({
    open: async () => {
      await end.start()
      return { address: server.address! }
    },
    measure: async ({ seconds }) => {
      await sleep(Number(seconds) * 200)
      const [before, cpu, startMs] = [received, process.cpuUsage(), performance.now()]
      await sleep(Number(seconds) * 1_000)
      const { user, system } = process.cpuUsage(cpu)
      const count = received - before
      return { perSecond: (count * 1_000) / (performance.now() - startMs), cpuMicros: (user + system) / count }
    },
  })
} else {
  let running = false
  serve({
    open: async ({ address, bytes }) => {
      const end = new LinkEnd(crypto, tcpClient({ address: String(address) }))
      await end.start()
      await until('the link is up', () => end.link)
      const body = systemRandom(Number(bytes))
      const fill = () => {
        while (running && end.send(MESSAGE.packet, body));
      }
      end.onDrain = fill
      setInterval(fill, 10)
      return {}
    },
    run: ({ on }) => {
      running = on === true
      return {}
    },
  })
}
