import { encodeUtf8 } from '@nexus/codec'
import type { Random } from '@nexus/crypto'
import { seededRandom } from '@nexus/crypto/testing'
import { expect, test } from 'vitest'
import { type RequestSigner, signRequest } from '../src/client.ts'
import type { SentryRequest } from '../src/index.ts'
import { type Gate, login, ORIGIN, openGate, sent, signerOf, signerOfSession } from './gate.ts'
import { crypto } from './kit.ts'
import { wallets } from './wallets.ts'

/** Requests that are thrown at the sentry; the whole run has a million. */
const REQUESTS = Number(process.env['NEXUS_REQUESTS'] ?? 5_000)
const BATCH = 200

test(`${REQUESTS} random requests: what is not exactly what was signed writes nothing`, {
  timeout: 4 * 3_600_000,
}, async () => {
  const gate = await openGate()
  const dice = seededRandom('requests')
  const below = (count: number) => dice(4).reduce((sum, byte) => sum * 256 + byte, 0) % count
  const signers = [signerOf('ann'), signerOf('bob')]
  for (const wallet of wallets.slice(0, 3)) signers.push(signerOfSession(await login(gate, wallet)))
  const sound: SentryRequest[] = []
  const figures = { sound: 0, admitted: 0, unauthorised: 0, refused: 0 }
  for (let done = 0; done < REQUESTS; done += BATCH) {
    gate.nowMs += below(2_000)
    // A session lives 15 minutes of the test's clock, which are 900 batches at most, and 450 at least.
    if ((done / BATCH) % 400 === 399)
      for (const [at, wallet] of wallets.slice(0, 3).entries())
        signers[2 + at] = signerOfSession(await login(gate, wallet))
    const batch = Array.from({ length: BATCH }, () => {
      const request = randomRequest(gate, dice, signers[below(signers.length)]!, below)
      const kind = below(10)
      if (kind === 0) return { request, valid: true }
      const old = sound[below(Math.max(1, sound.length))]
      if (kind === 1 && old !== undefined) return { request: old, valid: false }
      return { request: mutated(request, below), valid: false }
    })
    const verdicts = await Promise.all(batch.map(({ request }) => gate.sentry.admit(request)))
    for (const [at, { request, valid }] of batch.entries()) {
      const admitted = verdicts[at]!.kind === 'admitted'
      figures.sound += Number(valid)
      figures.admitted += Number(admitted)
      figures.refused += Number(!admitted)
      if (admitted && !valid) {
        figures.unauthorised += 1
        console.log(JSON.stringify({ ...request, body: [...request.body] }))
      }
      if (valid) sound[sound.length < 1_000 ? sound.length : below(1_000)] = request
      if (valid && !admitted) throw (verdicts[at] as { error: Error }).error
    }
    gate.rejections.length = 0
    if (below(20) === 0) gate.runDelays()
  }
  if (REQUESTS >= 50_000) console.log(JSON.stringify(figures))
  expect(figures).toMatchObject({ unauthorised: 0, admitted: figures.sound })
})

function randomRequest(
  gate: Gate,
  dice: Random,
  signer: RequestSigner,
  below: (count: number) => number,
): SentryRequest {
  const safe = below(4) === 0
  const url = `${ORIGIN}/v1/${['entries', 'accounts', 'grants', 'backup'][below(4)]}${below(2) === 0 ? '' : `?a=${below(1_000)}`}`
  const body = encodeUtf8(JSON.stringify({ account: `did:key:${below(100)}`, amount: String(1 + below(1e6)) }))
  const asked = safe ? { method: 'GET', url } : { method: 'POST', url, body, idempotencyKey: `k${below(1e9)}` }
  return sent(signRequest(crypto, signer, asked, { nowMs: gate.nowMs, random: dice }))
}

/** Changes one thing that the signature covers, or the signature itself. */
function mutated(request: SentryRequest, below: (count: number) => number): SentryRequest {
  const headers = [...request.headers].map(([name, value]) => [name, value] as [string, string])
  const covering = headers.filter(([name]) => name !== 'content-type')
  switch (below(6)) {
    case 0:
      return { ...request, method: ['PUT', 'DELETE', 'HEAD', 'PATCH'][below(4)]! }
    case 1:
      return { ...request, targetUri: changed(request.targetUri, ORIGIN.length + 1, below) }
    case 2: {
      const body = request.body.slice()
      if (body.length === 0) return { ...request, body: Uint8Array.of(below(256)) }
      body[below(body.length)]! ^= 1 + below(255)
      return { ...request, body }
    }
    case 3: {
      const gone = covering[below(covering.length)]
      return { ...request, headers: headers.filter((line) => line !== gone) }
    }
    default: {
      const line = covering[below(covering.length)]!
      line[1] = changed(line[1], 0, below)
      return { ...request, headers }
    }
  }
}

/** One character from `from` on becomes another. */
function changed(text: string, from: number, below: (count: number) => number): string {
  const at = from + below(text.length - from)
  const other = String.fromCharCode(33 + ((text.charCodeAt(at) - 33 + 1 + below(93)) % 94))
  return text.slice(0, at) + other + text.slice(at + 1)
}
