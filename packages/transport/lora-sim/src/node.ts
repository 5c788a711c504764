/** One simulated air for several processes of a machine, over the loopback (docs/spec/lora.md). */
export { type AirAddress, connectControls, type RemoteAirOptions, type RemoteControls, remoteAir } from './client.ts'
export { type AirServer, type AirServerOptions, serveAir } from './server.ts'
