import { CryptoError } from './errors.ts'
import { VRF_INPUT_BYTES } from './limits.ts'
import { assertSignable, isHttpBase, taggedMessage } from './message.ts'
import type { Crypto, VerifyHttpJob, VerifyJob } from './provider.ts'
import { RAW, type RawCrypto, type RawEd25519 } from './raw.ts'

/** The signing half of a provider, made of its raw functions: the rules of what is signed exist once. */
export function signing(raw: RawEd25519): Pick<RawCrypto, SigningCalls | typeof RAW> {
  return {
    [RAW]: raw,
    sign(seed, tag, ...parts) {
      const message = taggedMessage(tag, parts)
      assertSignable(message)
      return raw.sign(seed, message)
    },
    verify: (publicKey, signature, tag, ...parts) => isSigned(raw, publicKey, signature, taggedMessage(tag, parts)),
    signHttp(seed, base) {
      if (!isHttpBase(base)) throw new CryptoError({ code: 'crypto/http-base' })
      assertSignable(base)
      return raw.sign(seed, base)
    },
    verifyHttp: (publicKey, signature, base) => isHttpBase(base) && isSigned(raw, publicKey, signature, base),
    verifyBatch: async (jobs) =>
      jobs.map((job) => {
        const message = jobMessage(job)
        return message !== undefined && raw.verify(job.publicKey, job.signature, message)
      }),
  }
}

type SigningCalls = keyof Pick<Crypto, 'sign' | 'verify' | 'signHttp' | 'verifyHttp' | 'verifyBatch'>

/** The bytes that a job's signature must cover, or `undefined` where nobody may sign such bytes. */
export function jobMessage(job: VerifyJob | VerifyHttpJob): Uint8Array | undefined {
  if ('base' in job) return isHttpBase(job.base) && job.base.length !== VRF_INPUT_BYTES ? job.base : undefined
  const message = taggedMessage(job.tag, job.parts)
  return message.length === VRF_INPUT_BYTES ? undefined : message
}

function isSigned(raw: RawEd25519, publicKey: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  return message.length !== VRF_INPUT_BYTES && raw.verify(publicKey, signature, message)
}
