const FLAG = 0x7e
const ESCAPE = 0x7d
const FLIP = 0x20

/**
 * HDLC as one writes it down: frames found by their flags, bytes escaped one by one. The plain twin of the project's
 * framing, and the bare limit that targets were set by.
 */
export function bytewiseFraming(seen: (frame: Uint8Array) => void): (chunk: Buffer) => Buffer {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const framed: Buffer[] = []
    let start = bytes.indexOf(FLAG)
    for (;;) {
      const end = start < 0 ? -1 : bytes.indexOf(FLAG, start + 1)
      if (end < 0) break
      if (end > start + 1) {
        const frame = unescaped(bytes.subarray(start + 1, end))
        seen(frame)
        framed.push(escaped(frame))
      }
      start = end
    }
    rest = start < 0 ? Buffer.alloc(0) : Buffer.from(bytes.subarray(start))
    return Buffer.concat(framed)
  }
}

function unescaped(body: Buffer): Buffer {
  if (!body.includes(ESCAPE)) return body
  const out = Buffer.allocUnsafe(body.length)
  let length = 0
  for (let at = 0; at < body.length; at++) out[length++] = body[at] === ESCAPE ? body[++at]! ^ FLIP : body[at]!
  return out.subarray(0, length)
}

function escaped(frame: Buffer): Buffer {
  let specials = 0
  for (const byte of frame) if (byte === FLAG || byte === ESCAPE) specials++
  const out = Buffer.allocUnsafe(frame.length + specials + 2)
  let length = 0
  out[length++] = FLAG
  for (let at = 0; at < frame.length; at++) {
    const byte = frame[at]!
    if (byte === FLAG || byte === ESCAPE) {
      out[length++] = ESCAPE
      out[length++] = byte ^ FLIP
    } else out[length++] = byte
  }
  out[length] = FLAG
  return out
}
