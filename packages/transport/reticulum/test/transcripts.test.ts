import { readdirSync, readFileSync } from 'node:fs'
import { toHex } from '@nexus/codec'
import { seededChoice } from '@nexus/codec/testing'
import { describe, expect, test } from 'vitest'
import { CONTEXT, DESTINATION_TYPE, decodePacket, PACKET_TYPE } from '../src/packet.ts'
import { type Happening, RecordedNode, readTranscript, settled, type Transcript } from './transcript.ts'

const SEEDS = Number(process.env['NEXUS_SEEDS'] ?? 4)
const FOLDER = new URL('transcripts/', import.meta.url)

const transcripts = readdirSync(FOLDER).map((file) => readTranscript(readFileSync(new URL(file, FOLDER), 'utf8')))

type Frame = Extract<Happening, { readonly kind: 'in' | 'out' }>
type Choice = ReturnType<typeof seededChoice>
const chance = (choice: Choice, ratio: number) => choice(1_000) < 1_000 * ratio

/** What the wire adds to a recording without changing what the node may do. */
interface Weather {
  readonly twice: number
  readonly forged: number
  readonly swapped: number
}

/** Gives the node all that came, when it came, in some weather; and what the node sent and made of it. */
async function replay(transcript: Transcript, weather: Weather, choice: Choice) {
  const again = new RecordedNode(transcript, () => {})
  await settled()
  const frames = transcript.happenings.flatMap((one) => (one.kind === 'in' ? [one] : []))
  for (const one of swap(transcript.happenings, weather.swapped, choice)) {
    if (one.atMs !== again.nowMs) await settled()
    again.nowMs = one.atMs
    if (one.kind === 'up') again.attach(one.facts, () => true)
    else if (one.kind === 'tick') again.tick()
    else if (one.kind === 'in') {
      if (chance(choice, weather.forged)) forge(again, frames[choice(frames.length)]!, choice)
      again.receive(one.iface, one.frame)
      if (chance(choice, weather.twice) && isOnce(one.frame)) again.receive(one.iface, one.frame)
    }
  }
  await settled()
  return { sent: sentOf(again.happenings), outcome: again.outcome }
}

/** What was sent, over each interface. */
function sentOf(happenings: readonly Happening[]): string[] {
  return happenings.flatMap((one) => (one.kind === 'out' ? [`${one.iface} ${toHex(one.frame)}`] : []))
}

/** Whether a second copy of the frame means nothing: all but what may be answered again. */
function isOnce(frame: Uint8Array): boolean {
  const { context, destinationType } = decodePacket(frame)
  const answeredAgain: readonly number[] = [
    CONTEXT.channel,
    CONTEXT.resource,
    CONTEXT.resourceRequest,
    CONTEXT.resourceProof,
    CONTEXT.cacheRequest,
    CONTEXT.keepalive,
    CONTEXT.linkRequestProof,
  ]
  return destinationType !== DESTINATION_TYPE.link || !answeredAgain.includes(context)
}

/** Gives the node a frame that came, or will come, with a bit that is wrong: one whose content is protected. */
function forge(again: RecordedNode, { iface, frame }: Frame, choice: Choice): void {
  const packet = decodePacket(frame)
  const isAnnounce = packet.packetType === PACKET_TYPE.announce
  const isSealed = packet.packetType === PACKET_TYPE.data && packet.destinationType === DESTINATION_TYPE.link
  // A transport node cannot tell what is sealed for others.
  if (iface >= again.interfaces.length || !(isAnnounce || (isSealed && again.node.relay === undefined))) return
  const inTheClear: readonly number[] = [CONTEXT.keepalive, CONTEXT.resource, CONTEXT.cacheRequest]
  if (inTheClear.includes(packet.context)) return
  const forged = frame.slice()
  const at = forged.length - 1 - choice(packet.data.length)
  forged[at]! ^= 1 << choice(8)
  again.receive(iface, forged)
}

/** Lets parts of resources that came one right after the other change places. */
function swap(happenings: readonly Happening[], ratio: number, choice: Choice): Happening[] {
  const list = [...happenings]
  const isPart = (one: Happening | undefined) =>
    one?.kind === 'in' && decodePacket(one.frame).context === CONTEXT.resource
  for (let at = 0; at + 1 < list.length; at++) {
    const [a, b] = [list[at]!, list[at + 1]!]
    if (isPart(a) && isPart(b) && chance(choice, ratio))
      [list[at], list[at + 1]] = [
        { ...b, atMs: a.atMs },
        { ...a, atMs: b.atMs },
      ]
  }
  return list
}

describe.each(transcripts.map((transcript) => [transcript.name, transcript] as const))(
  'recorded live: %s',
  (_, transcript) => {
    const seeds = Array.from({ length: SEEDS }, (_, at) => at)

    test.each(seeds)('the node does the same again, byte for byte: seed %i', async (seed) => {
      const choice = seededChoice(seed)
      // The first time as it was; then with copies, forgeries and parts that overtake each other.
      const weather = seed === 0 ? { twice: 0, forged: 0, swapped: 0 } : { twice: 0.3, forged: 0.3, swapped: 0.5 }
      const { sent, outcome } = await replay(transcript, weather, choice)
      const before = sentOf(transcript.happenings)
      if (transcript.role === 'relays') expect(sent.sort()).toEqual(before.sort())
      else expect(sent).toEqual(before)
      if (transcript.role === 'asks') expect(await outcome).not.toContain('false')
    })
  },
)

test('each role was recorded, directly and over stock transport nodes', () => {
  expect(new Set(transcripts.map(({ role }) => role))).toEqual(new Set(['asks', 'answers', 'relays']))
  expect(transcripts).toHaveLength(7)
})
