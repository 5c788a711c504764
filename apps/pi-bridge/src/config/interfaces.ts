import { z } from 'zod'

const port = z.number().int().min(0).max(65_535)
const mtuBytes = z.number().int().min(37).max(65_507).optional().describe('largest frame in bytes')
const bitrateBps = z.number().positive().optional().describe('nominal bit/s, where the medium is slower than it looks')
const address = z.string().regex(/^(\[[^\]]+\]|[^\s:[\]/?#@]+):\d{1,5}$/, 'expected host:port, IPv6 hosts in brackets')
const dutyCycle = z.number().positive().max(1).optional().describe('share of time that may be sent; radio law decides')
const device = z.string().min(1).describe('device of the port: /dev/ttyUSB0, or better /dev/serial/by-id/…, or COM3')
const listenHost = z.string().optional().describe('address to listen on; all, if not given')

/** What a node can be connected by; `type` decides which settings there are. */
export const interfaceSchemas = {
  udp: z.strictObject({
    type: z.literal('udp'),
    host: listenHost,
    port: port.default(4_242).describe('UDP port'),
    peers: z.array(address).max(256).default([]).describe('nodes to greet, as host:port'),
    multicast: z.boolean().default(true).describe('find nodes on the same network by IPv6 link-local multicast'),
    multicastInterfaces: z
      .array(z.string().min(1))
      .optional()
      .describe('network interfaces for that; all, if not given'),
    mtuBytes,
    bitrateBps,
  }),
  'tcp-server': z.strictObject({
    type: z.literal('tcp-server'),
    host: listenHost,
    port: port.default(4_242).describe('TCP port'),
    connectionsMax: z.number().int().positive().optional().describe('connections at once'),
    mtuBytes,
    bitrateBps,
  }),
  'tcp-client': z.strictObject({
    type: z.literal('tcp-client'),
    address: address.describe('the server, as host:port'),
    mtuBytes,
    bitrateBps,
  }),
  'websocket-server': z.strictObject({
    type: z.literal('websocket-server'),
    host: listenHost,
    port: port.default(4_244).describe('TCP port'),
    path: z.string().startsWith('/').default('/').describe('path of the URL'),
    origins: z.array(z.string().min(1)).optional().describe('origins of web pages that may connect; any, if not given'),
    connectionsMax: z.number().int().positive().optional().describe('connections at once'),
    mtuBytes,
    bitrateBps,
  }),
  'websocket-client': z.strictObject({
    type: z.literal('websocket-client'),
    url: z.url({ protocol: /^wss?$/, error: 'expected a ws:// or wss:// URL' }).describe('the server'),
    mtuBytes,
    bitrateBps,
  }),
  'serial-kiss': z.strictObject({
    type: z.literal('serial-kiss'),
    path: device,
    baudRate: z.number().int().min(50).default(115_200).describe('bit/s on the line'),
    mtuBytes: z.number().int().min(37).max(4_096).optional().describe('largest frame in bytes; both ends alike'),
    tnc: z
      .strictObject({
        bitrateBps: z.number().positive().describe('of the radio'),
        dutyCycle,
        preambleMs: z.number().min(0).max(2_550).default(350),
        txTailMs: z.number().min(0).max(2_550).default(20),
        persistence: z.number().int().min(0).max(255).default(64),
        slotTimeMs: z.number().min(0).max(2_550).default(20),
      })
      .optional()
      .describe('set where the port leads to a KISS radio modem and not to another node'),
  }),
  rnode: z.strictObject({
    type: z.literal('rnode'),
    path: device,
    frequencyHz: z.number().int().min(137_000_000).max(3_000_000_000).default(868_100_000),
    bandwidthHz: z.number().int().min(7_800).max(1_625_000).default(125_000),
    txPowerDbm: z.number().int().min(0).max(37).default(14).describe('the law of the place limits it'),
    spreadingFactor: z.number().int().min(5).max(12).default(7),
    codingRate: z.number().int().min(5).max(8).default(5).describe('denominator of 4/5 to 4/8'),
    dutyCycle: dutyCycle.default(0.01),
  }),
  'lora-sim': z.strictObject({
    type: z.literal('lora-sim'),
    radio: z.string().min(1).max(64).describe('name of the radio on the simulated air'),
    airPort: port.min(1).describe('port of the air server on this machine'),
    airToken: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'expected 32 hexadecimal digits')
      .describe('token of the air server'),
    dutyCycle,
  }),
} as const

export const INTERFACE_TYPES = Object.keys(interfaceSchemas) as (keyof typeof interfaceSchemas)[]

export const interfaceSchema = z.discriminatedUnion('type', [
  interfaceSchemas.udp,
  interfaceSchemas['tcp-server'],
  interfaceSchemas['tcp-client'],
  interfaceSchemas['websocket-server'],
  interfaceSchemas['websocket-client'],
  interfaceSchemas['serial-kiss'],
  interfaceSchemas.rnode,
  interfaceSchemas['lora-sim'],
])

export type InterfaceConfig = z.output<typeof interfaceSchema>
