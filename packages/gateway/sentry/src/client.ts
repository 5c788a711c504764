/** Signs requests for a gateway, in a browser as in Node (docs/spec/sentry.md). */

export { SIGNATURE_TAG, type SignatureAlgorithm } from './signature/fields.ts'
export {
  ed25519Signer,
  type RequestSigner,
  type SessionKey,
  type SignableRequest,
  type SignedRequest,
  type SigningMoment,
  sessionSigner,
  signRequest,
} from './signature/sign.ts'
