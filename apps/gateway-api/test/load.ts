import { Agent, request } from 'node:http'
import { encodeUtf8 } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { type RequestSigner, signRequest } from '@nexus/sentry/client'
import { crypto, ORIGIN } from './keys.ts'

export interface Posted {
  readonly status: number
  readonly index: number | undefined
  readonly tookMs: number
}

export interface Load {
  readonly url: string
  readonly signer: RequestSigner
  readonly count: number
  /** Requests under way at any time. */
  readonly connections: number
  readonly keyOf: (at: number) => string
  readonly each?: (at: number, posted: Posted) => void
}

/** Posts entries over kept connections, each signed anew. Returns waits in milliseconds, sorted, and the time of all. */
export async function postEntries({ url, signer, count, connections, keyOf, each }: Load) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const waitsMs = new Float64Array(count)
  let next = 0
  const writer = async (): Promise<void> => {
    while (next < count) {
      const at = next++
      const posted = await postEntry(agent, url, signer, keyOf(at), `did:example:${at % 5_000}`)
      waitsMs[at] = posted.tookMs
      each?.(at, posted)
    }
  }
  const began = performance.now()
  try {
    await Promise.all(Array.from({ length: connections }, writer))
  } finally {
    agent.destroy()
  }
  return { waitsMs: waitsMs.toSorted(), tookS: (performance.now() - began) / 1_000 }
}

/** One entry; rejects where no answer comes. */
export function postEntry(
  agent: Agent,
  url: string,
  signer: RequestSigner,
  key: string,
  account: string,
): Promise<Posted> {
  const body = encodeUtf8(JSON.stringify({ account, amount: '1005' }))
  const { init } = signRequest(
    crypto,
    signer,
    {
      method: 'POST',
      url: `${ORIGIN}/v1/entries`,
      body,
      idempotencyKey: key,
      headers: { 'content-type': 'application/json' },
    },
    { nowMs: Date.now(), random: systemRandom },
  )
  const began = performance.now()
  return new Promise((resolve, reject) => {
    const asked = request(
      `${url}/v1/entries`,
      { method: 'POST', agent, headers: { ...init.headers, 'content-length': body.length } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const tookMs = performance.now() - began
          const index =
            answer.statusCode === 201 ? JSON.parse(Buffer.concat(chunks).toString('utf8')).entry.index : undefined
          resolve({ status: answer.statusCode ?? 0, index, tookMs })
        })
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}
