import { portable } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'
import { createIdentity, type Identity } from '@nexus/identity'
import { signTrust, TrustedPeers, TrustStatements } from '../src/index.ts'

export const crypto = await nodeCrypto()
export const plainCrypto = portable()
export const NETWORK = new Uint8Array(16).fill(5)

export function identityOf(name: string): Identity {
  return createIdentity(crypto, seededRandom(`trust ${name}`)(32))
}

/** A node's view: whom it trusts, and what they say. */
export function view(): { peers: TrustedPeers; statements: TrustStatements } {
  const peers = new TrustedPeers(300)
  const statements = new TrustStatements({
    crypto,
    networkId: NETWORK,
    follows: (nodeId) => peers.find(nodeId) !== undefined,
  })
  return { peers, statements }
}

export const says = (truster: Identity, trustee: Uint8Array, sequence: bigint, trusted = true) =>
  signTrust(truster, NETWORK, { trustee, sequence, trusted })
