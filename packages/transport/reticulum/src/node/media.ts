import type { Transport } from '@nexus/transport'
import { type SerialOptions, serial } from '@nexus/transport-serial'
import {
  type TcpClientOptions,
  type TcpServer,
  type TcpServerOptions,
  tcpClient,
  tcpServer,
} from '@nexus/transport-tcp'
import { udpTransport } from '@nexus/transport-udp'
import type { AccessCodeOptions } from '../access-code.ts'
import { AUTO_LINK_MTU_BYTES } from '../auto-discovery.ts'
import type { InterfaceMode } from '../interface.ts'
import { MTU_BYTES } from '../limits.ts'
import { type AutoOptions, AutoTransport } from './auto.ts'
import { HDLC_FRAMING } from './framing.ts'
import { type KissTcpServer, kissTcpClient, kissTcpServer, unixSocketClient } from './stream.ts'

/** What Reticulum takes a TCP connection for unless it is told: links over it agree on packets of 8192 bytes. */
export const TCP_BITRATE_BPS = 10_000_000
export const TCP_LINK_MTU_BYTES = 8_192
/** Largest frame that is taken from TCP: the medium's own bound. */
const TCP_FRAME_BYTES_MAX = 32_767
const TCP_QUEUE_BYTES_MAX = 4 * 1024 * 1024
const UDP_BITRATE_BPS = 10_000_000
/** A packet of 500 bytes, and an access code of whatever size. */
const SERIAL_FRAME_BYTES_MAX = MTU_BYTES + 64
/** Where Reticulum's shared instance listens unless it is told otherwise. */
export const SHARED_INSTANCE_PORT = 37_428
export const SHARED_INSTANCE_NAME = 'default'
const ACCESS_CODE_BYTES = { network: 16, radio: 8 } as const

/** A medium, and how Reticulum uses it. */
export interface Medium {
  readonly transport: Transport
  /** Largest packet that links may agree on over it; default: what every medium carries. */
  readonly mtuBytes?: number
  /** Nominal bit/s; default: what the transport says. */
  readonly bitrateBps?: number
  readonly mode?: InterfaceMode
  /** Only nodes with the same network name and passphrase are heard. */
  readonly accessCode?: AccessCodeOptions
  /** Share of the bitrate that announces of others may take. */
  readonly announceShare?: number
}

/** A medium that others connect to. */
export interface ServerMedium extends Medium {
  /** Where it listens, once it does: `127.0.0.1:4242`. */
  readonly address: string | undefined
}

/** Settings of any medium. */
export interface MediumOptions {
  readonly mtuBytes?: number
  readonly bitrateBps?: number
  readonly mode?: InterfaceMode
  readonly announceShare?: number
  readonly accessCode?: { readonly networkName?: string; readonly passphrase?: string; readonly sizeBytes?: number }
}

const tcpSettings = {
  mtuBytes: TCP_FRAME_BYTES_MAX,
  // Reticulum's neighbours may be silent for days.
  firstFrameMs: Number.POSITIVE_INFINITY,
  idleMs: Number.POSITIVE_INFINITY,
  queueBytesMax: TCP_QUEUE_BYTES_MAX,
}

/** Settings of TCP media. */
export interface TcpMediumOptions extends MediumOptions {
  /** How frames stand in the stream; default `hdlc`. `kiss` is for TNCs that are reached over TCP. */
  readonly framing?: 'hdlc' | 'kiss'
}

/** A TCP connection to another node, made anew whenever it is lost. */
export function tcpClientMedium(
  address: string,
  options: TcpMediumOptions & { readonly tcp?: Partial<TcpClientOptions> } = {},
): Medium {
  const { bitrateBps = TCP_BITRATE_BPS } = options
  if (options.framing === 'kiss') return tcpMedium(kissTcpClient(address, { bitrateBps }), options)
  return tcpMedium(tcpClient({ ...tcpSettings, bitrateBps, ...options.tcp, address }), options)
}

/** A TCP server that other nodes connect to; each connection is an interface. */
export function tcpServerMedium(
  listen: { readonly host?: string; readonly port: number },
  options: TcpMediumOptions & { readonly tcp?: Partial<TcpServerOptions> } = {},
): ServerMedium {
  const { bitrateBps = TCP_BITRATE_BPS } = options
  const server: TcpServer | KissTcpServer =
    options.framing === 'kiss'
      ? kissTcpServer(listen, { bitrateBps })
      : tcpServer({ ...tcpSettings, bitrateBps, ...options.tcp, ...listen })
  return Object.defineProperty({ ...tcpMedium(server, options), address: undefined }, 'address', {
    get: () => server.address,
  })
}

/** Datagrams to configured peers, as Reticulum's UDP interface sends them. */
export function udpMedium(
  options: MediumOptions & { readonly host?: string; readonly port: number; readonly peers: readonly string[] },
): ServerMedium {
  const { host, port, peers, bitrateBps = UDP_BITRATE_BPS } = options
  const bind = host === undefined ? { port } : { host, port }
  const transport = udpTransport({ ...bind, peers, multicast: false, mtuBytes: 2_048, bitrateBps })
  return {
    ...mediumOf(transport, options, ACCESS_CODE_BYTES.network),
    bitrateBps,
    get address() {
      return transport.address
    },
  }
}

/** Nodes on the same networks as this machine, found by IPv6 multicast as Reticulum's AutoInterface does. */
export function autoMedium(options: MediumOptions & AutoOptions = {}): Medium {
  const { bitrateBps = UDP_BITRATE_BPS, mtuBytes = AUTO_LINK_MTU_BYTES } = options
  const transport = new AutoTransport(options, bitrateBps)
  return { ...mediumOf(transport, options, ACCESS_CODE_BYTES.network), mtuBytes, bitrateBps }
}

/** A KISS radio modem, or a cable with KISS framing. */
export function kissMedium(options: MediumOptions & { readonly serial: SerialOptions }): Medium {
  return mediumOf(serial({ mtuBytes: SERIAL_FRAME_BYTES_MAX, ...options.serial }), options, ACCESS_CODE_BYTES.radio)
}

/** A cable with HDLC framing, which is what Reticulum's serial interface speaks. */
export function serialMedium(
  options: MediumOptions & { readonly serial: Omit<SerialOptions, 'framing' | 'tnc'> },
): Medium {
  const line = { mtuBytes: SERIAL_FRAME_BYTES_MAX, ...options.serial, framing: HDLC_FRAMING }
  return mediumOf(serial(line), options, ACCESS_CODE_BYTES.radio)
}

/** Where the shared instance of a machine is: its TCP port, or the name of its Unix socket. */
export type SharedInstanceAt = { readonly port: number } | { readonly instanceName: string }

/**
 * The shared instance of Reticulum on this machine, `rnsd` or the first program that was started; default: its usual Unix
 * socket on Linux, its usual port elsewhere (docs/spec/reticulum.md, "Shared instances").
 */
export function sharedInstanceMedium(
  options: { readonly mode?: InterfaceMode; readonly at?: SharedInstanceAt } = {},
): Medium {
  const usual = process.platform === 'linux' ? { instanceName: SHARED_INSTANCE_NAME } : { port: SHARED_INSTANCE_PORT }
  const at = options.at ?? usual
  if ('port' in at) return tcpClientMedium(`127.0.0.1:${at.port}`, options)
  return tcpMedium(unixSocketClient(`\0rns/${at.instanceName}`, { bitrateBps: TCP_BITRATE_BPS }), options)
}

/** Any transport that carries at least 500 bytes, such as an RNode of @nexus/transport-serial. */
export function transportMedium(transport: Transport, options: MediumOptions = {}): Medium {
  return mediumOf(transport, options, ACCESS_CODE_BYTES.radio)
}

function tcpMedium(transport: Transport, options: MediumOptions): Medium {
  const { mtuBytes = TCP_LINK_MTU_BYTES, bitrateBps = TCP_BITRATE_BPS } = options
  return { ...mediumOf(transport, options, ACCESS_CODE_BYTES.network), mtuBytes, bitrateBps }
}

function mediumOf(transport: Transport, options: MediumOptions, codeBytes: number): Medium {
  const { mtuBytes = MTU_BYTES, bitrateBps, mode, announceShare, accessCode } = options
  return {
    transport,
    mtuBytes,
    ...(bitrateBps === undefined ? {} : { bitrateBps }),
    ...(mode === undefined ? {} : { mode }),
    ...(announceShare === undefined ? {} : { announceShare }),
    ...(accessCode === undefined ? {} : { accessCode: { sizeBytes: codeBytes, ...accessCode } }),
  }
}
