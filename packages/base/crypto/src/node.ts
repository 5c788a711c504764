/** The provider for Node: OpenSSL for curves and large messages, wasm for small ones. */
export { nodeCrypto } from './node/provider.ts'
