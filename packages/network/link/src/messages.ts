import { ByteReader, ByteWriter } from '@nexus/codec'
import { LinkError } from './errors.ts'
import { PAD_MULTIPLE_BYTES } from './limits.ts'

/** First byte of a plaintext, bits 0–6. Probe, rekey and close are the link's own. */
export const MESSAGE = {
  packet: 1,
  gossip: 2,
  route: 3,
  channel: 4,
  probe: 5,
  rekey: 6,
  congestion: 7,
  close: 8,
} as const

/** The messages of the layers above. */
export const PASSED_UP: readonly number[] = [
  MESSAGE.packet,
  MESSAGE.gossip,
  MESSAGE.route,
  MESSAGE.channel,
  MESSAGE.congestion,
]

/** Bit 7 of the first byte: padding follows the body. */
export const PADDED_BIT = 0x80

export interface Probe {
  readonly answer: boolean
  readonly token: number
}

/** Step 0 asks the lower NodeID to start; 1 and 2 carry the two Noise messages. */
export type Rekey = { readonly step: 0 } | { readonly step: 1 | 2; readonly noise: Uint8Array }

/** e 32, then the sealed id: 2 + 16. */
export const REKEY_NOISE_BYTES = 50
const PROBE_BYTES = 5

/** `0 ask, 1 answer u8 | token u32`. */
export function encodeProbe(probe: Probe): Uint8Array {
  return new ByteWriter(PROBE_BYTES)
    .u8(probe.answer ? 1 : 0)
    .u32(probe.token)
    .finish()
}

/** @throws {LinkError} `link/length`, `link/step` */
export function decodeProbe(body: Uint8Array): Probe {
  wantLength('a probe', body, PROBE_BYTES)
  const reader = new ByteReader(body)
  const step = reader.u8()
  if (step > 1) throw new LinkError({ code: 'link/step', step })
  return { answer: step === 1, token: reader.u32() }
}

/** `step u8 | Noise message 50, but for step 0`. */
export function encodeRekey(rekey: Rekey): Uint8Array {
  if (rekey.step === 0) return Uint8Array.of(0)
  return new ByteWriter(1 + REKEY_NOISE_BYTES).u8(rekey.step).bytes(rekey.noise, REKEY_NOISE_BYTES).finish()
}

/** @throws {LinkError} `link/length`, `link/step` */
export function decodeRekey(body: Uint8Array): Rekey {
  const step = body[0]
  if (step === 0 || step === undefined) {
    wantLength('a rekey request', body, 1)
    return { step: 0 }
  }
  if (step !== 1 && step !== 2) throw new LinkError({ code: 'link/step', step })
  wantLength('a rekey message', body, 1 + REKEY_NOISE_BYTES)
  return { step, noise: body.slice(1) }
}

/** @throws {LinkError} `link/length` */
export function decodeClose(body: Uint8Array): number {
  wantLength('a close', body, 1)
  return body[0]!
}

/**
 * Bytes of padding that bring a plaintext to the next multiple of 32: 0 where it is one already, and never more than
 * the medium has room for.
 */
export function padBytesFor(plaintextBytes: number, plaintextBytesMax: number): number {
  const over = plaintextBytes % PAD_MULTIPLE_BYTES
  return over === 0 ? 0 : Math.min(PAD_MULTIPLE_BYTES - over, plaintextBytesMax - plaintextBytes)
}

/** The body of a plaintext, without its type and padding. @throws {LinkError} `link/padding`, `link/zeros` */
export function bodyOf(plaintext: Uint8Array): Uint8Array {
  return plaintext.subarray(1, (plaintext[0]! & PADDED_BIT) === 0 ? plaintext.length : paddedBodyEnd(plaintext))
}

/**
 * End of the body in a plaintext whose first byte has {@link PADDED_BIT}: the last byte counts the padding, 1…31, itself
 * included, and the others are zero.
 * @throws {LinkError} `link/padding`, `link/zeros`
 */
export function paddedBodyEnd(plaintext: Uint8Array): number {
  const plaintextBytes = plaintext.length
  const padBytes = plaintext[plaintextBytes - 1]!
  if (padBytes === 0 || padBytes >= PAD_MULTIPLE_BYTES || padBytes >= plaintextBytes) {
    throw new LinkError({ code: 'link/padding', padBytes, plaintextBytes })
  }
  const end = plaintextBytes - padBytes
  for (let at = end; at < plaintextBytes - 1; at++) {
    if (plaintext[at] !== 0) throw new LinkError({ code: 'link/zeros', what: 'padding but for its last byte' })
  }
  return end
}

function wantLength(what: string, body: Uint8Array, wantBytes: number): void {
  if (body.length !== wantBytes) {
    throw new LinkError({ code: 'link/length', what, wantBytes, gotBytes: body.length })
  }
}
