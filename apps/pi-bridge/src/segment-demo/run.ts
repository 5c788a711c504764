import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { SegmentEvent } from '@nexus/anchor-truth'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { PAGE_FOLDER } from '@nexus/dashboard'
import { PageServer } from '@nexus/node/page'
import { serveKeys } from '../demo/terminal-keys.ts'
import { tellAddress } from '../demo/welcome.ts'
import { SimulatedLink } from './link.ts'
import { PLAN } from './plan.ts'
import { namesOf, Station } from './station.ts'
import { plugInStranger } from './stranger.ts'

export interface SegmentDemoOptions {
  /** First port to try for the page. */
  readonly port: number
  /** Where the page listens. */
  readonly host: string
  /** One line of talk. */
  readonly say: (text: string) => void
}

/** Runs ten simulated nodes on one simulated link, and their page, until `signal` aborts. */
export async function runSegmentDemo({ port, host, say }: SegmentDemoOptions, signal: AbortSignal): Promise<void> {
  if (!existsSync(join(PAGE_FOLDER, 'index.html'))) {
    throw new Error(
      'the page is not built; run `pnpm --filter @nexus/dashboard build:page`, or npm start segment, which does',
    )
  }
  const link = new SimulatedLink()
  const stations = await makeStations(link, say)
  const page = new PageServer({
    nodes: () => stations,
    assets: PAGE_FOLDER,
    token: randomBytes(16).toString('hex'),
    port,
    host,
    about: { mode: 'segment' },
  })
  const pullStranger = plugInStranger(link)
  try {
    await page.start()
    for (const station of stations) await station.setPower(true)
    tellAddress(say, 'A segment is up.', page, port)
    say(
      '  Ten simulated nodes on one link, and a stranger who replays and forges. The protocol, its keys and its times are the',
    )
    say('  real ones: within 8.5 s of the start one leads, and within 18.5 s of its death the next one does.')
    say('')
    await serveKeys(
      '1–9 and 0 unplug or plug a node · a kill the anchor · c cut the link in two, or mend it · s status',
      (key) => press(key, stations, link, say),
      say,
      signal,
    )
  } finally {
    pullStranger()
    for (const station of stations) station.stop()
    await page.stop()
  }
}

async function makeStations(link: SimulatedLink, say: (text: string) => void): Promise<Station[]> {
  const crypto = await nodeCrypto()
  const admission = { mode: 'passphrase', key: systemRandom(32) } as const
  let names: ReadonlyMap<string, string> = new Map()
  const nameOf = (nodeId: string): string => names.get(nodeId) ?? nodeId.slice(0, 8)
  const tell = (station: Station, event: SegmentEvent): void => {
    if (event.kind === 'promoted') say(`${station.name} leads now (${CAUSES[event.cause]}), epoch ${event.epoch}.`)
  }
  const stations = PLAN.map((plan, index) => new Station(plan, { crypto, link, admission, index, nameOf, tell }))
  names = namesOf(stations)
  return stations
}

const CAUSES = {
  cold: 'nobody led',
  silence: 'the anchor fell silent',
  challenge: 'its ego is greater than the anchor’s',
  claim: 'it was claimed',
  rival: 'the anchor fell silent',
} as const

async function press(
  key: string,
  stations: readonly Station[],
  link: SimulatedLink,
  say: (text: string) => void,
): Promise<void> {
  const station = /^\d$/.test(key) ? stations[(Number(key) + 9) % 10] : undefined
  if (station !== undefined) {
    const on = !station.isOn
    await station.setPower(on)
    say(`${station.name} is ${on ? 'plugged in' : 'unplugged'}`)
  } else if (key === 'a') await killAnchor(stations, say)
  else if (key === 'c') {
    link.isCut = !link.isCut
    say(link.isCut ? 'The link is cut: every other node is on its far half.' : 'The link is mended.')
  } else if (key === 's') for (const each of stations) say(await line(each))
}

async function killAnchor(stations: readonly Station[], say: (text: string) => void): Promise<void> {
  const anchor = stations.find(({ isAnchor }) => isAnchor)
  if (anchor === undefined) return say('nobody leads just now')
  await anchor.setPower(false)
  say(`${anchor.name}, the anchor, is unplugged`)
}

async function line(station: Station): Promise<string> {
  const report = await station.api()?.call('segment', {})
  const [one] = report?.interfaces ?? []
  if (one === undefined) return `  ${station.name.padEnd(8)} off`
  const key = one.epoch === null ? 'no key' : `epoch ${one.epoch.number}, ${Math.round(one.epoch.ageMs / 1_000)} s old`
  return `  ${station.name.padEnd(8)} ${one.phase.padEnd(8)} ${key} · ${one.members.length} others heard`
}
