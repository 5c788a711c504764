import { z } from 'zod'
import { address, device, listenHost, port, radioSettings, tncSchema } from './fields.ts'

const text = z.string().min(1)
const framing = z.enum(['hdlc', 'kiss'])

/** What each way into a Reticulum network may say; the names are those of Reticulum's own configuration, in this one's style. */
const common = {
  mode: z
    .enum(['full', 'gateway', 'access-point', 'roaming', 'boundary'])
    .optional()
    .describe('interface mode of Reticulum; full, if not given'),
  networkName: text.optional().describe('name of a network whose interfaces have access codes'),
  passphraseFile: text.optional().describe('file whose first line is the passphrase of such a network'),
  bitrateBps: z.number().positive().optional().describe('nominal bit/s, where the medium is slower than it looks'),
}

/** The interfaces of a Reticulum network that a node can be connected by. */
export const waySchemas = {
  'tcp-client': z.strictObject({
    type: z.literal('tcp-client'),
    address: address.describe('TCP server interface of another node, as host:port'),
    framing: framing.default('hdlc').describe('kiss for software modems'),
    ...common,
  }),
  'tcp-server': z.strictObject({
    type: z.literal('tcp-server'),
    host: listenHost,
    port: port.default(4_242).describe('TCP port'),
    framing: framing.default('hdlc').describe('kiss for software modems'),
    ...common,
  }),
  'shared-instance': z.strictObject({
    type: z.literal('shared-instance'),
    instanceName: text.optional().describe('instance_name of the rnsd on this machine; default, if not given'),
    port: port.min(1).optional().describe('its TCP port, where it has shared_instance_type = tcp; usually 37428'),
  }),
  udp: z.strictObject({
    type: z.literal('udp'),
    host: listenHost,
    port: port.default(4_242).describe('UDP port'),
    peers: z.array(address).min(1).max(256).describe('where packets go, as host:port'),
    ...common,
  }),
  auto: z.strictObject({
    type: z.literal('auto'),
    groupId: text.optional().describe('only nodes of the same group find each other; reticulum, if not given'),
    discoveryScope: z.enum(['link', 'admin', 'site', 'organisation', 'global']).default('link'),
    multicastAddressType: z.enum(['temporary', 'permanent']).default('temporary'),
    discoveryPort: port.min(1).max(65_534).default(29_716).describe('UDP port; the one after it is used, too'),
    dataPort: port.min(1).default(42_671).describe('UDP port; all nodes alike'),
    devices: z.array(text).optional().describe('network interfaces to use; all but loopback, if not given'),
    ignoredDevices: z.array(text).default([]).describe('network interfaces not to use'),
    ...common,
  }),
  serial: z.strictObject({
    type: z.literal('serial'),
    path: device,
    baudRate: z.number().int().min(50).default(115_200).describe('bit/s on the line'),
    framing: framing.default('hdlc').describe('hdlc, as SerialInterface of Reticulum; kiss, as KISSInterface'),
    tnc: tncSchema.optional().describe('set where the port leads to a KISS radio modem; with framing kiss'),
    ...common,
  }),
  rnode: z.strictObject({ type: z.literal('rnode'), path: device, ...radioSettings, ...common }),
} as const

export const WAY_TYPES = Object.keys(waySchemas) as (keyof typeof waySchemas)[]

export const waySchema = z.discriminatedUnion('type', [
  waySchemas['tcp-client'],
  waySchemas['tcp-server'],
  waySchemas['shared-instance'],
  waySchemas.udp,
  waySchemas.auto,
  waySchemas.serial,
  waySchemas.rnode,
])

export type WayConfig = z.output<typeof waySchema>
