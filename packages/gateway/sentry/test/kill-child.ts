/** Admits signed requests until it is killed; writes each one that came through, once it did. */
import { fromHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { ed25519Signer, signRequest } from '../src/client.ts'
import { directIngress, openSentry } from '../src/index.ts'
import { nodeSentryPorts } from '../src/node.ts'
import { openSqliteSentryStore } from '../src/sqlite.ts'

const AT_ONCE = 20
const [, , path = '', seedHex = ''] = process.argv
const crypto = await nodeCrypto()
const origin = 'https://gateway.example'
const boundless = { perSecond: 1e9, burst: 1e9 }
const sentry = await openSentry(
  {
    origin,
    seed: fromHex(seedHex),
    store: openSqliteSentryStore({ path }),
    ingress: directIngress(),
    admins: [],
    adapters: [],
    rates: { address: boundless, identity: boundless, login: boundless },
  },
  nodeSentryPorts(crypto),
)
const signer = ed25519Signer(crypto, systemRandom(32))

async function work(): Promise<never> {
  for (let at = 0; ; at++) {
    const asked = { method: 'GET', url: `${origin}/v1/${at}` }
    const { url, init } = signRequest(crypto, signer, asked, { nowMs: Date.now(), random: systemRandom })
    const headers = Object.entries(init.headers)
    const request = {
      method: init.method,
      targetUri: url,
      headers,
      body: new Uint8Array(0),
      remoteAddress: '127.0.0.1',
    }
    const verdict = await sentry.admit(request)
    if (verdict.kind !== 'admitted') throw verdict.error
    process.stdout.write(`${JSON.stringify([url, headers])}\n`)
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work))
