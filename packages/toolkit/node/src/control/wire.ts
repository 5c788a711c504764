import type { Socket } from 'node:net'
import { Packr, Unpackr } from 'msgpackr'

/**
 * The control socket's frames (docs/spec/control.md): `length u32 little-endian | MessagePack map`. A request is
 * `{ id, method, params }` or `{ id, cancel: true }`; the answers to it are `{ id, result }`, `{ id, error }`, and for
 * streams `{ id, item }` … `{ id, end: true }`.
 */
export interface ControlRequest {
  readonly id: number
  readonly method?: string
  readonly params?: unknown
  readonly cancel?: true
}

export type ControlAnswer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly item: unknown }
  | { readonly id: number; readonly end: true }
  | {
      readonly id: number
      readonly error: { readonly code: string; readonly message: string; readonly next?: string | undefined }
    }

/** A request with a 64 KB message in hexadecimal fits; more is refused. */
export const REQUEST_BYTES_MAX = 1 << 20
/** The status of a node with full tables fits. */
export const ANSWER_BYTES_MAX = 1 << 26
const HEADER_BYTES = 4

const packr = new Packr({ useRecords: false })
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' })

/** One frame, ready to be written. */
export function encodeFrame(message: ControlRequest | ControlAnswer): Uint8Array {
  const body = packr.pack(message)
  const frame = new Uint8Array(HEADER_BYTES + body.length)
  new DataView(frame.buffer).setUint32(0, body.length, true)
  frame.set(body, HEADER_BYTES)
  return frame
}

/**
 * Calls `receive` with each message of a socket. A frame above `bytesMax`, or one that is no MessagePack map, ends the
 * connection: nothing after it could be trusted.
 */
export function readFrames(socket: Socket, bytesMax: number, receive: (message: unknown) => void): void {
  let held: Uint8Array[] = []
  let heldBytes = 0
  socket.on('data', (chunk: Uint8Array) => {
    held.push(chunk)
    heldBytes += chunk.length
    for (;;) {
      if (heldBytes < HEADER_BYTES) return
      let bytes = held[0]!
      if (held.length > 1 && bytes.length < HEADER_BYTES) bytes = joinHeld()
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
      if (length > bytesMax) return void socket.destroy()
      if (heldBytes < HEADER_BYTES + length) return
      bytes = held.length > 1 ? joinHeld() : bytes
      const message = decode(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length))
      held = [bytes.subarray(HEADER_BYTES + length)]
      heldBytes = held[0]!.length
      if (typeof message !== 'object' || message === null) return void socket.destroy()
      receive(message)
    }
  })
  function joinHeld(): Uint8Array {
    const joined = Buffer.concat(held)
    held = [joined]
    return joined
  }
}

function decode(bytes: Uint8Array): unknown {
  try {
    return unpackr.unpack(bytes)
  } catch {
    return undefined
  }
}
