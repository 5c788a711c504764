/** A node is a 32-byte seed: keys, NodeID, files at rest, Shamir recovery, advisories (docs/spec/identity.md). */
export {
  type Advisory,
  type AdvisoryFields,
  advisoryVerifyJobs,
  decodeAdvisory,
  EVIDENCE,
  encodeAdvisory,
  evidenceOf,
  signAdvisory,
  verifyAdvisory,
} from './advisory.ts'
export { type AdvisoryStanding, type AdvisoryVerdict, addAdvisory, advisoryVerdict } from './advisory-standing.ts'
export { ReservedCounter } from './counter.ts'
export { IdentityError, type IdentityErrorDetail } from './errors.ts'
export { createIdentity, type Identity, nodeIdOf } from './identity.ts'
export {
  identityFileKind,
  type Opening,
  openIdentityFile,
  plainIdentityFile,
  type Sealing,
  sealIdentityFile,
} from './identity-file.ts'
export {
  ADVISORY_BYTES_MAX,
  ADVISORY_BYTES_MIN,
  COUNTER_MAX,
  COUNTER_RESERVE,
  FILE_PLAIN_BYTES,
  FILE_SEALED_BYTES,
  NODE_ID_BYTES,
  PASSPHRASE_BYTES_MAX,
  SCRYPT_LOG2_N_MIN,
  SCRYPT_MEMORY_BYTES_MAX,
  SCRYPT_WORK_MAX,
  SEED_BYTES,
  SHARE_BYTES,
  SHARE_TEXT_LENGTH,
  SHARE_THRESHOLD_MIN,
  SHARES_MAX,
} from './limits.ts'
export { portableScrypt, SCRYPT_COST, type Scrypt, type ScryptCost } from './scrypt.ts'
export {
  combineShares,
  decodeShare,
  encodeShare,
  type Share,
  type Splitting,
  shareFromText,
  shareToText,
  splitSeed,
} from './shares.ts'
