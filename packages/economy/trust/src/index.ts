/** Whom a node trusts: free relaying, prices for others, signed statements, lines of credit (docs/spec/trust.md). */
export { Credit } from './credit.ts'
export { TrustError, type TrustErrorDetail } from './errors.ts'
export {
  ACCOUNTS_MAX,
  PEERS_MAX,
  STATEMENTS_MAX,
  STATEMENTS_PER_TRUSTER_MAX,
  TRUST_BYTES,
  TRUST_RECORD,
} from './limits.ts'
export { type TrustedPeer, TrustedPeers } from './peers.ts'
export {
  decodeTrust,
  encodeTrust,
  signTrust,
  type TrustFields,
  type TrustStatement,
  trustVerifyJob,
  verifyTrust,
} from './statement.ts'
export { TrustStatements, type TrustStatementsOptions, type VerifyPort } from './statements.ts'
