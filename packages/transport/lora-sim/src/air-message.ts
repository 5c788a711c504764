import type { Dropped } from './access.ts'
import { AirError } from './errors.ts'
import { AIR_MESSAGE_BYTES_MAX, AIR_NAME_CHARACTERS_MAX, AIR_TOKEN_BYTES, LORA_FRAME_BYTES_MAX } from './limits.ts'
import type { Position, RadioSettings } from './radio.ts'

/** A change of the air, by the names of radios. `lossDb`: null for none any more, `"off"` where nothing gets through. */
export type AirControl =
  | { readonly kind: 'position'; readonly radio: string; readonly position: Position }
  | {
      readonly kind: 'path-loss'
      readonly from: string
      readonly to: string
      readonly lossDb: number | 'off' | null
      readonly direction: 'both' | 'forward'
    }
  | { readonly kind: 'on'; readonly radio: string; readonly on: boolean }
  | { readonly kind: 'loss-ratio'; readonly lossRatio: number }

/** What goes over the connection between an air server and a client (docs/spec/lora.md, "Sharing an air"). */
export type AirMessage =
  | { readonly kind: 'join'; readonly token: string; readonly radio: string; readonly settings: Partial<RadioSettings> }
  | { readonly kind: 'attach-controls'; readonly token: string }
  | { readonly kind: 'control'; readonly control: AirControl }
  | { readonly kind: 'up'; readonly speed: number }
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'send'; readonly frame: Uint8Array }
  | { readonly kind: 'heard'; readonly rssiDbm: number; readonly snrDb: number; readonly frame: Uint8Array }
  | { readonly kind: 'done'; readonly outcome: 'sent' | Dropped }

const TYPES = {
  join: 1,
  'attach-controls': 2,
  control: 3,
  send: 4,
  up: 17,
  down: 18,
  refused: 19,
  accepted: 20,
  heard: 21,
  done: 22,
} as const satisfies Record<AirMessage['kind'], number>
const KINDS = new Map<number, AirMessage['kind']>(
  (Object.keys(TYPES) as AirMessage['kind'][]).map((kind) => [TYPES[kind], kind]),
)
const OUTCOMES = ['sent', 'medium-busy', 'duty-cycle', 'radio-off'] as const
const HEARD_BYTES = 8
const REASON_CHARACTERS_MAX = 200

/** The message with its length before it: `length u16 | type u8 | body`, integers big-endian. */
export function encodeAirMessage(message: AirMessage): Uint8Array {
  const body = encodeBody(message)
  const bytes = new Uint8Array(3 + body.length)
  new DataView(bytes.buffer).setUint16(0, 1 + body.length)
  bytes[2] = TYPES[message.kind]
  bytes.set(body, 3)
  if (1 + body.length > AIR_MESSAGE_BYTES_MAX) throw new RangeError('a message over the limit')
  return bytes
}

function encodeBody(message: AirMessage): Uint8Array {
  switch (message.kind) {
    case 'send':
      return message.frame
    case 'heard': {
      const bytes = new Uint8Array(HEARD_BYTES + message.frame.length)
      const view = new DataView(bytes.buffer)
      view.setFloat32(0, message.rssiDbm)
      view.setFloat32(4, message.snrDb)
      bytes.set(message.frame, HEARD_BYTES)
      return bytes
    }
    case 'done':
      return Uint8Array.of(OUTCOMES.indexOf(message.outcome))
    case 'accepted':
      return new Uint8Array(0)
    default: {
      const { kind: _, ...fields } = message
      return new TextEncoder().encode(JSON.stringify(fields))
    }
  }
}

/**
 * Cuts a stream into messages. Holds less than one message.
 * @throws {AirError} `lora/air-length`, `lora/air-type`, `lora/air-body`: the connection is of no more use
 */
export class AirDecoder {
  #pending: Uint8Array = new Uint8Array(0)

  get pendingBytes(): number {
    return this.#pending.length
  }

  *push(chunk: Uint8Array): Generator<AirMessage> {
    const joined = new Uint8Array(this.#pending.length + chunk.length)
    joined.set(this.#pending)
    joined.set(chunk, this.#pending.length)
    let at = 0
    while (joined.length - at >= 2) {
      const length = (joined[at]! << 8) | joined[at + 1]!
      if (length === 0 || length > AIR_MESSAGE_BYTES_MAX) {
        throw new AirError({ code: 'lora/air-length', bytes: length, bytesMax: AIR_MESSAGE_BYTES_MAX })
      }
      if (joined.length - at - 2 < length) break
      yield decodeAirMessage(joined.subarray(at + 2, at + 2 + length))
      at += 2 + length
    }
    this.#pending = joined.slice(at)
  }
}

/** Reads type and body. @throws {AirError} */
export function decodeAirMessage(bytes: Uint8Array): AirMessage {
  const type = bytes[0] ?? 0
  const kind = KINDS.get(type)
  const body = bytes.subarray(1)
  const fail = (why: string): never => {
    throw new AirError({ code: 'lora/air-body', type, why })
  }
  switch (kind) {
    case undefined:
      throw new AirError({ code: 'lora/air-type', type })
    case 'send':
      return { kind, frame: frameOf(body, fail) }
    case 'heard': {
      if (body.length <= HEARD_BYTES) return fail('short')
      const view = new DataView(body.buffer, body.byteOffset)
      const frame = frameOf(body.subarray(HEARD_BYTES), fail)
      return { kind, rssiDbm: view.getFloat32(0), snrDb: view.getFloat32(4), frame }
    }
    case 'done': {
      const outcome = body.length === 1 ? OUTCOMES[body[0]!] : undefined
      return outcome === undefined ? fail('no outcome') : { kind, outcome }
    }
    case 'accepted':
      return body.length === 0 ? { kind } : fail('trailing bytes')
    default:
      return fromJson(kind, jsonOf(body, fail), fail)
  }
}

type Fail = (why: string) => never
type Fields = Readonly<Record<string, unknown>>

function frameOf(body: Uint8Array, fail: Fail): Uint8Array {
  return body.length >= 1 && body.length <= LORA_FRAME_BYTES_MAX ? body.slice() : fail('not a frame of 1 … 508 bytes')
}

function jsonOf(body: Uint8Array, fail: Fail): Fields {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    if (isFields(value)) return value
  } catch {
    return fail('not JSON')
  }
  return fail('not an object')
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fromJson(
  kind: 'join' | 'attach-controls' | 'control' | 'up' | 'down' | 'refused',
  fields: Fields,
  fail: Fail,
): AirMessage {
  switch (kind) {
    case 'join':
      return {
        kind,
        token: tokenOf(fields, fail),
        radio: nameOf(fields, 'radio', fail),
        settings: settingsOf(fields['settings'], fail),
      }
    case 'attach-controls':
      return { kind, token: tokenOf(fields, fail) }
    case 'control':
      return { kind, control: controlOf(fields['control'], fail) }
    case 'up': {
      const speed = numberOf(fields, 'speed', fail)
      return speed > 0 ? { kind, speed } : fail('speed')
    }
    case 'down':
    case 'refused': {
      const reason = fields['reason']
      return typeof reason === 'string' ? { kind, reason: reason.slice(0, REASON_CHARACTERS_MAX) } : fail('reason')
    }
  }
}

function tokenOf(fields: Fields, fail: Fail): string {
  const token = fields['token']
  return typeof token === 'string' && token.length === 2 * AIR_TOKEN_BYTES ? token : fail('token')
}

function nameOf(fields: Fields, key: string, fail: Fail): string {
  const name = fields[key]
  if (typeof name !== 'string' || name.length === 0 || name.length > AIR_NAME_CHARACTERS_MAX) return fail(key)
  return name
}

function numberOf(fields: Fields, key: string, fail: Fail): number {
  const value = fields[key]
  return typeof value === 'number' ? value : fail(key)
}

function positionOf(value: unknown, fail: Fail): Position {
  if (!isFields(value)) return fail('position')
  return { xMeters: numberOf(value, 'xMeters', fail), yMeters: numberOf(value, 'yMeters', fail) }
}

/** Only the types are looked at: the channel itself refuses what no radio takes. */
function settingsOf(value: unknown, fail: Fail): Partial<RadioSettings> {
  if (!isFields(value)) return fail('settings')
  const { modulation, position } = value
  const settings: { -readonly [K in keyof RadioSettings]?: RadioSettings[K] } = {}
  for (const key of ['frequencyHz', 'txPowerDbm', 'noiseFigureDb', 'dutyCycle'] as const) {
    if (value[key] !== undefined) settings[key] = numberOf(value, key, fail)
  }
  if (position !== undefined) settings.position = positionOf(position, fail)
  if (modulation === undefined) return settings
  if (!isFields(modulation)) return fail('modulation')
  const { explicitHeader, crc, lowDataRate } = modulation
  if (typeof explicitHeader !== 'boolean' || typeof crc !== 'boolean') return fail('modulation')
  if (typeof lowDataRate !== 'boolean' && lowDataRate !== 'auto') return fail('modulation')
  settings.modulation = {
    spreadingFactor: numberOf(modulation, 'spreadingFactor', fail),
    bandwidthHz: numberOf(modulation, 'bandwidthHz', fail),
    codingRate: numberOf(modulation, 'codingRate', fail),
    preambleSymbols: numberOf(modulation, 'preambleSymbols', fail),
    explicitHeader,
    crc,
    lowDataRate,
  }
  return settings
}

function controlOf(value: unknown, fail: Fail): AirControl {
  if (!isFields(value)) return fail('control')
  const kind = value['kind']
  switch (kind) {
    case 'position':
      return { kind, radio: nameOf(value, 'radio', fail), position: positionOf(value['position'], fail) }
    case 'path-loss': {
      const { lossDb, direction } = value
      if (typeof lossDb !== 'number' && lossDb !== 'off' && lossDb !== null) return fail('lossDb')
      if (direction !== 'both' && direction !== 'forward') return fail('direction')
      return { kind, from: nameOf(value, 'from', fail), to: nameOf(value, 'to', fail), lossDb, direction }
    }
    case 'on': {
      const { on } = value
      return typeof on === 'boolean' ? { kind, radio: nameOf(value, 'radio', fail), on } : fail('on')
    }
    case 'loss-ratio':
      return { kind, lossRatio: numberOf(value, 'lossRatio', fail) }
    default:
      return fail('no such control')
  }
}
