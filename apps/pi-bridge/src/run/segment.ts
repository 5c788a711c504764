import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { type MemberFound, meshAddress } from '@nexus/anchor-truth/node'
import type { Crypto } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import type { Node } from '@nexus/node'
import type { SegmentReport } from '@nexus/node/api'
import type { Transport } from '@nexus/transport'
import type { Paths } from '../config/paths.ts'
import type { Config } from '../config/schema.ts'
import { segmentDriver } from '../segment/driver.ts'
import { eventOf } from '../segment/events.ts'
import { segmentSettings } from '../segment/settings.ts'
import type { Logger } from './log.ts'

/** Where other nodes’ meshes listen, if nothing says otherwise. */
const MESH_PORT = 4_242

/** A node's part in the link-local segments of its machine. */
export interface NodeSegment {
  readonly report: () => SegmentReport
  /** Takes part from now on: `node` is told what happens, and dials the members that are found. */
  start(node: Node): void
  stop(): void
}

export interface NodeSegmentParts {
  readonly crypto: Crypto
  readonly identity: Identity
  /** Of the configuration's interfaces, in their order. */
  readonly transports: readonly Transport[]
  readonly log: Logger
}

/** What `segment` of the configuration asks for; undefined where it is not enabled. @throws {CommandFailure} */
export function nodeSegment(config: Config & Paths, parts: NodeSegmentParts): NodeSegment | undefined {
  if (!config.segment.enabled) return undefined
  const { crypto, identity, transports, log } = parts
  const { label = '' } = config
  const settings = segmentSettings({ ...config.segment, name: config.segment.name ?? label }, process.env)
  const reach = config.segment.meshPeers ? reachOf(config, transports) : undefined
  if (config.segment.meshPeers && reach === undefined) {
    log.warn('No udp interface of this node reaches link-local addresses: members of the segment are not dialled.')
  }
  let told: Node | undefined
  const { driver, report } = segmentDriver(
    settings,
    { crypto, identity, bootPath: join(config.stateDir, 'segment-boot') },
    {
      event(interfaceName, event) {
        const known = eventOf(interfaceName, event)
        if (known !== undefined) told?.note(known)
      },
      member(found: MemberFound) {
        if (reach !== undefined) told?.meet(found.nodeId, reach.interfaceId, meshAddress(found, reach.port))
      },
      problem(interfaceName, error) {
        const facts = { segment: interfaceName, code: 'segment' }
        told?.note({ kind: 'problem', text: `Segment on ${interfaceName}: ${error.message}.`, facts })
      },
    },
  )
  return {
    report,
    start(node) {
      told = node
      driver.start()
    },
    stop: () => driver.stop(),
  }
}

/** The first udp interface that is not bound to what no link-local address is reached from. */
function reachOf(
  { interfaces, segment }: Config,
  transports: readonly Transport[],
): { readonly interfaceId: string; readonly port: number } | undefined {
  for (const [at, one] of interfaces.entries()) {
    if (one.type !== 'udp' || !(one.host === undefined || (isIPv6(one.host) && one.host !== '::1'))) continue
    const port = segment.meshPort ?? (one.port === 0 ? MESH_PORT : one.port)
    return { interfaceId: transports[at]!.name, port }
  }
  return undefined
}
