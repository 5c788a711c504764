/** A node is a 32-byte seed: keys, NodeID, files at rest, Shamir recovery, advisories (docs/spec/identity.md). */
export { createIdentity, type Identity, nodeIdOf } from './identity.ts'
export { NODE_ID_BYTES, PUBLIC_KEY_BYTES, SEED_BYTES, SIGNATURE_BYTES } from './limits.ts'
