/** TCP with HDLC framing: a server whose connections are interfaces, and a client that stays connected (docs/spec/transports.md). */

export { type TcpClient, type TcpClientOptions, tcpClient } from './client.ts'
export { encodeHdlc, HdlcDecoder, type HdlcDecoderOptions, type HdlcFault, hdlcBytesMax } from './hdlc.ts'
export { BITRATE_BPS, type ConnectionOptions, KEEPALIVE_MS, MTU_BYTES, MTU_BYTES_MAX } from './options.ts'
export { type TcpServer, type TcpServerOptions, tcpServer } from './server.ts'
