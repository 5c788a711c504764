import { toHex } from '@nexus/codec'
import { encodePathCost, PATH_COST_ORIGIN } from '@nexus/compact-path-cost'
import type { Crypto } from '@nexus/crypto'
import { EXTENSION_VERSION, encodeExtension } from '@nexus/framing'
import {
  destinationHash,
  type Identity,
  NEXUS_NAME,
  nameHash,
  nexusReticulumIdentity,
  type ReticulumCrypto,
} from '@nexus/reticulum'
import {
  autoMedium,
  kissMedium,
  type Medium,
  nexusTransportOn,
  type RunningReticulum,
  readIdentity,
  reticulumNodeCrypto,
  serialMedium,
  sharedInstanceMedium,
  startReticulum,
  tcpClientMedium,
  tcpServerMedium,
  transportMedium,
  udpMedium,
} from '@nexus/reticulum/node'
import { type Listening, type Transport, TransportError, type TransportHost } from '@nexus/transport'
import { rnode } from '@nexus/transport-serial'
import { readSecretFile } from '../cli/secrets.ts'
import type { InterfaceConfig } from '../config/interfaces.ts'
import type { WayConfig } from '../config/reticulum.ts'
import { given } from './given.ts'
import { persistent } from './persistent.ts'

/** Primitives, and the identity that follows from the node's own. */
export interface ReticulumKeys {
  readonly crypto: Crypto
  readonly derived: Identity
}

/** What a link of 500-byte packets carries, which every Reticulum network has. */
const LINK_MDU_BYTES = 431

type ReticulumConfig = Extract<InterfaceConfig, { type: 'reticulum' }>

/** The Reticulum identity of a node's seed. */
export async function derivedReticulumIdentity(crypto: Crypto, seed: Uint8Array): Promise<Identity> {
  return nexusReticulumIdentity(crypto, await reticulumNodeCrypto(), seed)
}

/**
 * A Reticulum network as one medium of the node.
 * @param keys where it is to be started, and not only checked
 * @throws {RangeError} {TypeError} for a setting that cannot work; {CommandFailure} for a passphrase that cannot be read
 */
export function reticulumTransport(config: ReticulumConfig, keys: ReticulumKeys | undefined): Transport {
  // Made once for nothing, so that a wrong setting is known before the node starts.
  for (const way of config.ways) mediumOf(way)
  return new ReticulumMedium(config, keys)
}

class ReticulumMedium implements Transport {
  readonly name = 'reticulum'
  readonly #config: ReticulumConfig
  readonly #keys: ReticulumKeys | undefined
  #running: RunningReticulum | undefined
  #transport: Transport | undefined
  #address: string | undefined

  constructor(config: ReticulumConfig, keys: ReticulumKeys | undefined) {
    this.#config = config
    this.#keys = keys
  }

  /** What others find in the network; each that links with this node is an interface of its own. */
  get listening(): Listening | undefined {
    const address = this.#address
    if (address === undefined) return undefined
    const rates = [...(this.#running?.node.interfaces ?? [])].map(({ bitrateBps }) => bitrateBps)
    return { address, kind: 'reticulum', mtuBytes: LINK_MDU_BYTES, bitrateBps: Math.max(0, ...rates) }
  }

  async start(host: TransportHost): Promise<void> {
    const { identityFile, ways, announce, announceMs } = this.#config
    const keys = this.#keys
    if (keys === undefined) throw new TypeError('no keys were given')
    const crypto = await reticulumNodeCrypto()
    const identity = identityFile === undefined ? keys.derived : await readIdentityFile(crypto, identityFile)
    const running = await startReticulum({
      crypto: keys.crypto,
      onProblem: (problem) => host.problem?.(asTransportError(problem)),
    })
    this.#running = running
    // One that cannot be had yet, such as a port that is taken, keeps none of the others from coming up.
    for (const way of ways)
      await running.add({ ...mediumOf(way), transport: persistent(() => mediumOf(way).transport) })
    this.#transport = nexusTransportOn(running, {
      identity,
      extension: () =>
        encodeExtension({ version: EXTENSION_VERSION, cost: encodePathCost(PATH_COST_ORIGIN), tlvs: [] }),
      announces: announce,
      announceMs,
    })
    await this.#transport.start(host)
    const hash = destinationHash(crypto, nameHash(crypto, NEXUS_NAME), identity.hash)
    if (announce) this.#address = toHex(hash)
  }

  kick(): void {
    this.#transport?.kick?.()
  }

  async stop(): Promise<void> {
    this.#address = undefined
    await this.#transport?.stop()
    await this.#running?.stop()
  }
}

function mediumOf(way: WayConfig): Medium {
  const options =
    'mode' in way ? given({ mode: way.mode, bitrateBps: way.bitrateBps, accessCode: accessCodeOf(way) }) : {}
  switch (way.type) {
    case 'tcp-client':
      return tcpClientMedium(way.address, { ...options, framing: way.framing })
    case 'tcp-server':
      return tcpServerMedium(given({ host: way.host, port: way.port }), { ...options, framing: way.framing })
    case 'shared-instance':
      return sharedInstanceMedium(given({ at: sharedInstanceAt(way) }))
    case 'udp':
      return udpMedium({ ...options, ...given({ host: way.host }), port: way.port, peers: way.peers })
    case 'auto': {
      const { type: _, mode: _mode, networkName: _name, passphraseFile: _file, bitrateBps: _rate, ...auto } = way
      return autoMedium({ ...options, ...given(auto) })
    }
    case 'serial': {
      const { path, baudRate, framing, tnc } = way
      if (framing === 'kiss') {
        return kissMedium({ ...options, serial: given({ path, baudRate, tnc: tnc && given(tnc) }) })
      }
      if (tnc !== undefined) throw new TypeError('a radio modem needs framing kiss')
      return serialMedium({ ...options, serial: { path, baudRate } })
    }
    case 'rnode': {
      const { type: _, mode: _mode, networkName: _name, passphraseFile: _file, bitrateBps: _rate, ...radio } = way
      return transportMedium(rnode(given(radio)), options)
    }
  }
}

function sharedInstanceAt({ port, instanceName }: Extract<WayConfig, { type: 'shared-instance' }>) {
  if (port !== undefined && instanceName !== undefined) throw new TypeError('either port or instanceName')
  if (port !== undefined) return { port }
  return instanceName === undefined ? undefined : { instanceName }
}

function accessCodeOf({
  networkName,
  passphraseFile,
}: {
  networkName?: string | undefined
  passphraseFile?: string | undefined
}) {
  if (networkName === undefined && passphraseFile === undefined) return undefined
  return given({ networkName, passphrase: passphraseFile === undefined ? undefined : readSecretFile(passphraseFile) })
}

/** @throws {TransportError} where the file is none: it is tried again, as a port is */
async function readIdentityFile(crypto: ReticulumCrypto, path: string): Promise<Identity> {
  try {
    return await readIdentity(crypto, path)
  } catch (error) {
    throw new TransportError({ code: 'transport/bind', address: path, why: (error as Error).message })
  }
}

function asTransportError(problem: unknown): TransportError {
  if (problem instanceof TransportError) return problem
  return new TransportError({ code: 'transport/device', interfaceId: 'reticulum', why: String(problem) })
}
