/** Serial lines with KISS framing, and RNode LoRa radios (docs/spec/rnode.md). */
export { encodeKiss, KissDecoder, type KissDecoderOptions, type KissFault, kissBytesMax } from './kiss.ts'
export { KISS_FRAME_BYTES_MAX, RNODE_QUEUE_BYTES_MAX, SERIAL_QUEUE_BYTES_MAX } from './limits.ts'
export { openSerialPort, openTty } from './open-port.ts'
export type { OpenSerialPort, SerialPort, SerialPortEvents } from './port.ts'
export { type RNodeOptions, rnode } from './rnode.ts'
export {
  decodeRNodeReport,
  RNODE_COMMAND,
  type RNodeReport,
  type RNodeSettings,
  rnodeDetect,
  rnodeLeave,
  rnodeModulation,
  rnodeSetup,
} from './rnode-commands.ts'
export {
  type RNodeInfo,
  RNodeModem,
  type RNodeModemOptions,
  type RNodeModemPorts,
  type RNodeSignal,
} from './rnode-modem.ts'
export {
  type LineDecoder,
  type LineDecoderOptions,
  type LineFraming,
  type SerialOptions,
  serial,
} from './serial.ts'
export { type TncSettings, tncSetup } from './tnc.ts'
