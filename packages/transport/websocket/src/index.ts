/** WebSocket: a browser or an outbound client as a full two-way link (docs/spec/transports.md). */

export { type WebSocketClient, type WebSocketClientOptions, webSocketClient } from './client.ts'
export { BITRATE_BPS, MTU_BYTES, type WebSocketOptions } from './options.ts'
