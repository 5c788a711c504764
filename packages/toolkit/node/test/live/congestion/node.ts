// Runs inside a network namespace: one node over UDP, told what to do by lines of JSON on stdin, telling on stdout.
import { createInterface } from 'node:readline'
import { fromHex, toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { createIdentity } from '@nexus/identity'
import { NO_HOP } from '@nexus/routing'
import { type Impairment, udpProxy } from '@nexus/transport-memory/proxy'
import { udpTransport } from '@nexus/transport-udp'
import { createNode } from '../../../src/index.ts'

interface Side {
  readonly host: string
  readonly bitrateBps: number
  readonly peer?: string
  /** Delay and loss between this node and the peer, by a proxy on the loopback. */
  readonly impairment?: Impairment
}

const { label, sides } = JSON.parse(process.argv[2]!) as { label: string; sides: Side[] }
const PORT = 4_242
const say = (answer: object): boolean => process.stdout.write(`${JSON.stringify(answer)}\n`)
/** Milliseconds that all processes of the machine read alike. */
const wallMs = (): number => performance.timeOrigin + performance.now()

const transports = []
for (const { host, bitrateBps, peer, impairment } of sides) {
  const proxy = peer && impairment && (await udpProxy({ target: `${peer}:${PORT}`, impairment, seed: 1 }))
  const address = proxy ? proxy.address : peer && `${peer}:${PORT}`
  // Whoever goes by a proxy speaks to it on the loopback.
  const at = proxy ? { host: '127.0.0.1', port: 0 } : { host, port: PORT }
  const options = { ...at, bitrateBps, multicast: false as const }
  transports.push(udpTransport(address === undefined ? options : { ...options, peers: [address] }))
}
const crypto = await nodeCrypto()
const node = await createNode({ identity: createIdentity(crypto, systemRandom(32)), crypto, label, transports })
await node.start()
say({ nodeId: node.nodeId })

const tookMs: number[] = []
const counts = new Map<number, { offered: number; arrived: number }>()
const countOf = (context: number) => {
  const count = counts.get(context) ?? { offered: 0, arrived: 0 }
  counts.set(context, count)
  return count
}

const commands: Record<string, (given: Record<string, string & number>) => object> = {
  /** Counts packets of a context that end here; `timed`: and how long they took. */
  listen: ({ context, timed }) => {
    node.core.register(context!, (_nowMs, data) => {
      countOf(context!).arrived++
      if (timed) tookMs.push(wallMs() - new DataView(data.buffer, data.byteOffset).getFloat64(0))
    })
    return {}
  },
  hasRoute: ({ to }) => ({ hasRoute: node.core.routes.router.nextHop(fromHex(to!)) !== NO_HOP }),
  flow: ({ to, context, bytes, everyMs, forMs }) => {
    const destination = fromHex(to!)
    const startMs = wallMs()
    let sent = 0
    const beat = setInterval(
      () => {
        const sinceMs = wallMs() - startMs
        // A late timer catches up, as a microphone would.
        while (sent * everyMs! < Math.min(sinceMs, forMs!)) {
          const data = new Uint8Array(bytes!)
          new DataView(data.buffer).setFloat64(0, wallMs())
          node.core.sendData(performance.now(), destination, context!, data)
          sent++
          countOf(context!).offered++
        }
        if (sinceMs >= forMs!) clearInterval(beat)
      },
      Math.min(10, everyMs!),
    )
    return {}
  },
  report: () => ({
    tookMs,
    counts: Object.fromEntries(counts),
    media: [...node.core.interfaces.values()].map(({ facts, egress, sentBytes, controlBytes }) => ({
      nominalBps: facts.bitrateBps,
      measuredBps: Math.round(egress.shaper.meter.bps),
      queuedBytes: egress.queuedBytes,
      sentBytes,
      controlBytes,
    })),
    signals: { sent: node.core.congestion.sentSignals, received: node.core.congestion.receivedSignals },
    dropped: node.core.packets.dropped,
    id: toHex(node.core.nodeId),
  }),
}

createInterface({ input: process.stdin }).on('line', (line) => {
  const { command, ...given } = JSON.parse(line)
  if (command === 'stop') void node.stop().then(() => process.exit(0))
  else say(commands[command]!(given))
})
