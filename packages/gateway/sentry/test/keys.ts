import { nodeCrypto } from '@nexus/crypto/node'
import { seededRandom } from '@nexus/crypto/testing'

export const crypto = await nodeCrypto()
export const random = seededRandom('sentry')
export const seed = crypto.sha256(new TextEncoder().encode('the key of a test gateway'))
