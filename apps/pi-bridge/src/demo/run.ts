import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '@nexus/codec'
import { createMediumAccess } from '@nexus/congestion'
import { nodeCrypto } from '@nexus/crypto/node'
import { PAGE_FOLDER } from '@nexus/dashboard'
import { PageServer } from '@nexus/node/page'
import { createAir } from '@nexus/transport-lora-sim'
import { serveAir } from '@nexus/transport-lora-sim/node'
import type { ChildSettings } from './child.ts'
import { type DemoEconomy, demoEconomy } from './economy.ts'
import { runKeys } from './keys.ts'
import { AIR_SPEED, IN_REACH, PLAN, REACH_LOSS_DB, ROUND_MS } from './plan.ts'
import { clearState } from './state.ts'
import { SupervisedNode } from './supervised.ts'
import { tellAddress } from './welcome.ts'

export interface DemoOptions {
  /** Where the five nodes keep their state. */
  readonly stateDir: string
  /** Begin anew. */
  readonly fresh: boolean
  /** First port to try for the page. */
  readonly port: number
  /** One line of talk. */
  readonly say: (text: string) => void
}

/** Runs the demonstration until `signal` aborts: five nodes in processes of their own, the air between them, the page. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<void> {
  const { stateDir, fresh, say } = options
  if (!existsSync(join(PAGE_FOLDER, 'index.html'))) {
    throw new Error('the page is not built; run `pnpm --filter @nexus/dashboard build:page`, or npm start, which does')
  }
  if (fresh) clearState(stateDir)
  mkdirSync(stateDir, { recursive: true })
  const sockets = mkdtempSync(join(tmpdir(), 'nexus-demo-'))
  const air = createAir({ access: createMediumAccess, speed: AIR_SPEED })
  layOut(air)
  const airServer = await serveAir({ air })
  const economy = demoEconomy(await nodeCrypto(), stateDir)
  const nodes = await planNodes({ stateDir, sockets, economy, air: airServer }, say)
  const page = new PageServer({
    nodes: () => nodes,
    assets: PAGE_FOLDER,
    token: randomBytes(16).toString('hex'),
    port: options.port,
    about: { mode: 'demo', roundMs: ROUND_MS, airSpeed: AIR_SPEED },
  })
  try {
    await page.start()
    say('Starting five nodes: two LoRa sensors, a bridge, two WiFi nodes …')
    await Promise.all(nodes.map((node) => node.setPower(true)))
    welcome(say, page, options.port)
    await runKeys(nodes, say, signal)
  } finally {
    await page.stop()
    await Promise.all(nodes.map((node) => node.stop()))
    await airServer.close()
    air.close()
    rmSync(sockets, { recursive: true, force: true })
  }
}

function layOut(air: ReturnType<typeof createAir>): void {
  const radios = PLAN.filter(({ radio }) => radio).map(({ name }) => name)
  for (const [at, from] of radios.entries()) {
    for (const to of radios.slice(at + 1)) {
      const reach = IN_REACH.some(([a, b]) => (a === from && b === to) || (a === to && b === from))
      air.setPathLoss(from, to, reach ? REACH_LOSS_DB : Number.POSITIVE_INFINITY)
    }
  }
}

interface Surroundings {
  readonly stateDir: string
  /** Folder of the control sockets. */
  readonly sockets: string
  readonly economy: DemoEconomy
  readonly air: { readonly port: number; readonly token: string }
}

async function planNodes(
  { stateDir, sockets, economy, air }: Surroundings,
  say: (text: string) => void,
): Promise<SupervisedNode[]> {
  const ports = new Map<string, number>()
  for (const { name, udpPeers } of PLAN) if (udpPeers !== undefined) ports.set(name, await freeUdpPort())
  return PLAN.map(({ name, role, radio, udpPeers }) => {
    const settings: ChildSettings = {
      name,
      stateDir: join(stateDir, name),
      genesis: economy.genesis,
      others: [...economy.nodeIds].flatMap(([other, nodeId]) => (other === name ? [] : [toHex(nodeId)])),
      socket:
        process.platform === 'win32' ? `\\\\.\\pipe\\nexus-demo-${process.pid}-${name}` : join(sockets, `${name}.sock`),
      ...(radio ? { air: { port: air.port, token: air.token } } : {}),
      ...(udpPeers === undefined
        ? {}
        : { udp: { port: ports.get(name)!, peers: udpPeers.map((peer) => `127.0.0.1:${ports.get(peer)}`) } }),
    }
    return new SupervisedNode(role, settings, say)
  })
}

function freeUdpPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4')
    socket.once('error', reject)
    socket.bind(0, '127.0.0.1', () => {
      const { port } = socket.address()
      socket.close(() => resolve(port))
    })
  })
}

function welcome(say: (text: string) => void, page: PageServer, wanted: number): void {
  tellAddress(say, 'NEXUS is up.', page, wanted)
  say(
    `  Rounds last ${ROUND_MS / 1000} s here instead of 60 s, and radio passes ${AIR_SPEED} times as fast: it heals while you look.`,
  )
  say(
    '  The nodes are strangers and pay each other for relaying: 10 NXS per MiB, by lottery. Small traffic runs all the time.',
  )
  say('')
}
