/** The slow, obvious twin of the decoder: splits at flags, then reads each part byte by byte. */
export function decodePlainly(stream: Uint8Array, frameBytesMax: number, strayEscapes: 'drop' | 'keep') {
  const frames: number[][] = []
  const faults: string[] = []
  const parts = [...stream]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(' ')
    .split('7e')
  for (const [index, part] of parts.entries()) {
    const whole = index < parts.length - 1
    if (index === 0) continue
    const bytes =
      part.trim() === ''
        ? []
        : part
            .trim()
            .split(' ')
            .map((text) => Number.parseInt(text, 16))
    const read = readPart(bytes, frameBytesMax, strayEscapes, whole)
    if (typeof read === 'string') faults.push(read)
    else if (whole && read.length > 0) frames.push(read)
  }
  return { frames, faults }
}

function readPart(bytes: number[], frameBytesMax: number, strayEscapes: 'drop' | 'keep', whole: boolean) {
  const frame: number[] = []
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    const next = bytes[i + 1]
    if (byte !== 0x7d) frame.push(byte)
    else if (next === 0x5e || next === 0x5d) {
      frame.push(next ^ 0x20)
      i++
    } else if (next === undefined && !whole) return frame.length > frameBytesMax ? 'oversize' : frame
    else if (strayEscapes === 'drop') return 'escape'
    else frame.push(byte)
    if (frame.length > frameBytesMax) return 'oversize'
  }
  return frame
}

/** A small seeded generator, so that a failing run can be run again. */
export class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) % limit
  }

  /** A byte, every other time one that means something to the framing. */
  streamByte(): number {
    return this.below(2) === 0 ? ([0x7e, 0x7d, 0x5e, 0x5d][this.below(4)] as number) : this.below(256)
  }
}
