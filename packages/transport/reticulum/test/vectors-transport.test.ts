import { toHex } from '@nexus/codec'
import { encodeKiss, KissDecoder } from '@nexus/transport-serial'
import { encodeHdlc, HdlcDecoder, hdlcBytesMax } from '@nexus/transport-tcp'
import { expect, test } from 'vitest'
import type { Identity } from '../src/identity.ts'
import type { ReticulumInterface } from '../src/interface.ts'
import { CONTEXT, decodePacket } from '../src/packet.ts'
import { type Case, hex, vectors } from './kit.ts'
import { World } from './virtual.ts'

interface Sent {
  readonly interface: string
  readonly raw: string
}

/** A node with the id of the vectors, which signs nothing. */
function transportNode(world: World, id: string, mtuBytes: { readonly A: number; readonly B: number }) {
  const node = world.node({ transport: { hash: hex(id) } as Identity })
  const sent: Sent[] = []
  const make = (name: 'A' | 'B') =>
    node.attach({
      name,
      bitrateBps: 10_000_000,
      mtuBytes: mtuBytes[name],
      // The second transmission comes 5.5 s after the first, which comes at random within half a second.
      send: (frame) => sent.push({ interface: name, raw: toHex(frame) }) > 0,
    })
  return { node, sent, interfaces: { A: make('A'), B: make('B') } as Record<string, ReticulumInterface> }
}

const isPathResponse = (raw: string) => decodePacket(hex(raw)).context === CONTEXT.pathResponse

const byInterface = (list: readonly Sent[]) => list.map((out) => `${out.interface} ${out.raw}`).sort()

/** Of this node's own destination the vectors hold no key: test/path.test.ts asks for one of ours. */
const cases = (vectors('transport').cases as Case[]).filter(({ name }) => !/destination of this node/.test(name))

test.each(cases)('transport node: $name', async (c) => {
  const world = new World(3)
  const clamped = /clamped/.test(c.name)
  const mtuBytes = clamped ? { A: 1_024, B: 8_192 } : { A: 8_192, B: 8_192 }
  const { node, sent, interfaces } = transportNode(world, c.transport_id, mtuBytes)
  // Answering a path request brings Reticulum's second transmission of the announce forward; here it keeps its time.
  const isAnswered = /path request for a known/.test(c.name)
  const compared = (list: readonly Sent[]) => (isAnswered ? list.filter(({ raw }) => isPathResponse(raw)) : list)
  for (const step of c.steps as Case[]) {
    sent.length = 0
    if (step.in !== null) node.receive(interfaces[step.in]!, hex(step.raw))
    expect(byInterface(sent), step.note).toEqual(byInterface(step.out))
    sent.length = 0
    await world.pass(1_000 * (step.seconds_later ?? 0))
    // What Reticulum sends although nobody would take it is not sent here.
    const later = (step.out_later ?? []).filter(({ fields }: Case) => fields !== null)
    expect(byInterface(compared(sent)), `${step.note}, later`).toEqual(byInterface(compared(later)))
  }
  const paths = [...node.known].map(({ destination, path }) => ({
    destination_hash: toHex(destination),
    next_hop: toHex(path!.nextHop),
    hops: path!.hops,
    interface: path!.iface.name,
  }))
  expect(paths).toEqual(c.path_table_after)
  expect([node.relay?.carriedLinks, node.relay?.reverseEntries]).toEqual([c.link_table_size, c.reverse_table_size])
})

test('path requests in the form of Reticulum', () => {
  for (const c of vectors('transport').path_requests as Case[]) {
    const world = new World()
    const sent: string[] = []
    const options = c.transport_id === null ? {} : { transport: { hash: hex(c.transport_id) } as Identity }
    const node = world.node(options)
    node.attach({ name: 'A', bitrateBps: 1e6, send: (frame) => sent.push(toHex(frame)) > 0 })
    node.requestPath(hex(c.destination_hash))
    expect(sent[0]!.slice(0, -c.tag.length)).toBe(c.raw.slice(0, -c.tag.length))
    expect(sent[0]).toHaveLength(c.raw.length)
  }
})

test('a tunnel request is a packet that changes nothing', () => {
  const world = new World()
  const node = world.transportNode()
  const iface = node.attach({ name: 'A', bitrateBps: 1e6, send: () => true })
  for (const c of vectors('transport').tunnels as Case[]) {
    expect(decodePacket(hex(c.raw)).context).toBe(CONTEXT.none)
    node.receive(iface, hex(c.raw))
  }
  expect(iface.counts).toMatchObject({ framesIn: 1, refused: 0, framesOut: 0 })
})

const interfaces = vectors('interfaces')

test('HDLC and KISS frames as Reticulum writes them', () => {
  for (const kind of ['hdlc', 'serial_hdlc']) {
    for (const { payload, frame } of interfaces.framing[kind] as Case[]) {
      const wire = new Uint8Array(hdlcBytesMax(hex(payload).length))
      expect(toHex(wire.subarray(0, encodeHdlc(hex(payload), wire, 0)))).toBe(frame)
    }
  }
  for (const kind of ['kiss', 'serial_kiss']) {
    for (const { payload, frame } of interfaces.framing[kind] as Case[])
      expect(toHex(encodeKiss(0, hex(payload)))).toBe(frame)
  }
})

test.each(interfaces.decoding.hdlc as Case[])('HDLC stream: $name', (c) => {
  const packets: string[] = []
  const onFrame = (frame: Uint8Array) => {
    // Shorter frames are no packets with data; Reticulum's reader drops them before anything looks at them.
    if (frame.length > 19) packets.push(toHex(frame))
  }
  const decoder = new HdlcDecoder({ frameBytesMax: 8_208, onFrame, strayEscapes: 'keep' })
  for (const chunk of c.chunks as string[]) decoder.push(hex(chunk))
  expect(packets).toEqual(c.packets)
})

test.each(interfaces.decoding.kiss as Case[])('KISS stream: $name', (c) => {
  const packets: string[] = []
  const onFrame = (command: number, payload: Uint8Array) => {
    if ((command & 0x0f) === 0 && payload.length > 0) packets.push(toHex(payload))
  }
  const decoder = new KissDecoder({ frameBytesMax: 8_208, onFrame, strayEscapes: 'keep' })
  for (const chunk of c.chunks as string[]) decoder.push(hex(chunk))
  // An empty frame is none. Where two frames share a FEND, ours takes both, and Reticulum the first.
  const taken = packets.slice(0, c.name === 'shared FEND' ? 1 : packets.length)
  expect(taken).toEqual(c.packets.filter((packet: string) => packet !== ''))
})
