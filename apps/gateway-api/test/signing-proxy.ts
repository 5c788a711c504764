import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { systemRandom } from '@nexus/crypto'
import { type RequestSigner, signRequest } from '@nexus/sentry/client'
import { crypto, ORIGIN } from './keys.ts'

/** Signs whatever it is given and passes it on, so that a fuzzer that cannot sign gets past the perimeter. */
export async function startSigningProxy(port: number, signer: RequestSigner): Promise<{ url: string; server: Server }> {
  const server = createServer((asked, answer) => {
    void pass(asked, answer, port, signer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

async function pass(
  asked: IncomingMessage,
  answer: ServerResponse,
  port: number,
  signer: RequestSigner,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of asked) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const headers = { ...asked.headers, ...signatureOf(asked, body, signer), 'content-length': `${body.length}` }
  delete headers['transfer-encoding']
  const onward = request({ host: '127.0.0.1', port, method: asked.method, path: asked.url, headers }, (given) => {
    answer.writeHead(given.statusCode ?? 502, given.rawHeaders)
    given.pipe(answer)
  })
  onward.on('error', () => answer.destroy())
  onward.end(body)
}

/** Nothing for what cannot be signed: it goes on without, to be refused. */
function signatureOf({ method = '', url = '', headers }: IncomingMessage, body: Buffer, signer: RequestSigner) {
  const key = headers['idempotency-key']
  try {
    const { init } = signRequest(
      crypto,
      signer,
      {
        method,
        url: ORIGIN + url,
        ...(method !== 'GET' && method !== 'HEAD' && { body }),
        ...(typeof key === 'string' && { idempotencyKey: key }),
      },
      { nowMs: Date.now(), random: systemRandom },
    )
    return init.headers
  } catch {
    return {}
  }
}
