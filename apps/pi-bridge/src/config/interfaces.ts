import { z } from 'zod'
import { address, device, dutyCycle, listenHost, port, radioSettings, tncSchema } from './fields.ts'
import { waySchema } from './reticulum.ts'

const mtuBytes = z.number().int().min(37).max(65_507).optional().describe('largest frame in bytes')
const bitrateBps = z.number().positive().optional().describe('nominal bit/s, where the medium is slower than it looks')

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
    tnc: tncSchema.optional().describe('set where the port leads to a KISS radio modem and not to another node'),
  }),
  rnode: z.strictObject({
    type: z.literal('rnode'),
    path: device,
    ...radioSettings,
  }),
  reticulum: z.strictObject({
    type: z.literal('reticulum'),
    ways: z
      .array(waySchema)
      .min(1)
      .max(16)
      .describe('interfaces into the Reticulum network, each with a type of its own; below'),
    identityFile: z
      .string()
      .min(1)
      .optional()
      .describe('identity file of Reticulum; keys that follow from the node’s identity, if not given'),
    announce: z
      .boolean()
      .default(true)
      .describe('let other nodes find this one; without, it links with those that it hears'),
    announceMs: z
      .number()
      .int()
      .min(60_000)
      .max(86_400_000)
      .default(1_800_000)
      .describe('how often it announces itself, besides when a way comes up'),
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
  interfaceSchemas.reticulum,
  interfaceSchemas['lora-sim'],
])

export type InterfaceConfig = z.output<typeof interfaceSchema>
