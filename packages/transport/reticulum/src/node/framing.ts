import { encodeKiss, KissDecoder, type LineFraming } from '@nexus/transport-serial'
import { encodeHdlc, HdlcDecoder, hdlcBytesMax } from '@nexus/transport-tcp'

const DATA = 0

/** HDLC as Reticulum's stream interfaces read and write it. */
export const HDLC_FRAMING: LineFraming = {
  encode(frame) {
    const into = new Uint8Array(hdlcBytesMax(frame.length))
    return into.subarray(0, encodeHdlc(frame, into, 0))
  },
  decoder: (options) => new HdlcDecoder({ ...options, strayEscapes: 'keep' }),
}

/** KISS as Reticulum's TCP interfaces read and write it. */
export const KISS_FRAMING: LineFraming = {
  encode: (frame) => encodeKiss(DATA, frame),
  decoder: ({ onFrame, ...options }) =>
    new KissDecoder({
      ...options,
      strayEscapes: 'keep',
      onFrame: (command, payload) => {
        // The upper four bits name a port of the modem.
        if ((command & 0x0f) === DATA && payload.length > 0) onFrame(payload)
      },
    }),
}
