/** What a sentry needs from Node.js: clock, timers, randomness, and the keys of Cloudflare Access. */
export { fetchAccessKeys, nodeSentryPorts } from './node/ports.ts'
