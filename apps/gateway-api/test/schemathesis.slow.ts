import { execFile, execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { openApiDocument } from '../src/http/openapi.ts'
import { folder, signerOf, testGateway } from './harness.ts'
import { startSigningProxy } from './signing-proxy.ts'

const VERSION = '4.32.5'
const examples = process.env['NEXUS_EXAMPLES'] ?? '30'

/** The program in a Python environment of its own, which is made where it is not there yet. */
function schemathesis(): string {
  const home = process.env['NEXUS_SCHEMATHESIS'] ?? join(tmpdir(), `nexus-schemathesis-${VERSION}`)
  const program = join(home, 'bin', 'st')
  if (existsSync(program)) return program
  execFileSync('python3', ['-m', 'venv', home])
  execFileSync(join(home, 'bin', 'pip'), ['install', '--quiet', `schemathesis==${VERSION}`], { stdio: 'inherit' })
  return program
}

test('schemathesis finds nothing between the description and the gateway', { timeout: 900_000 }, async () => {
  const program = schemathesis()
  const { gateway, grant, ask } = await testGateway()
  for (const role of ['auditor', 'operator', 'admin'] as const) await grant('fuzzer', role)
  for (const role of ['app', 'owner'] as const) await grant('fuzzer', role, '*')
  for (let at = 0; at < 5; at++) await ask('app', 'POST', '/v1/entries', { json: { account: 'a', amount: '1000' } })
  const { url, server } = await startSigningProxy(gateway.address.port, signerOf('fuzzer'))
  onTestFinished(() => void server.close())
  const home = folder()
  const file = join(home, 'openapi.json')
  writeFileSync(file, JSON.stringify(withoutSecurity(openApiDocument(url))))
  // What is right by its form may still be below a minimum.
  const statuses = ['2xx', '401', '403', '404', '409', '422', '429'].map((status) => `"${status}"`).join(', ')
  writeFileSync(
    join(home, 'schemathesis.toml'),
    `[checks]\npositive_data_acceptance.expected-statuses = [${statuses}]\n`,
  )
  const args = [
    'run',
    file,
    '--url',
    url,
    '--max-examples',
    examples,
    '--phases',
    'examples,coverage,fuzzing',
    // A stream does not end.
    '--exclude-path',
    '/v1/events',
    '--seed',
    process.env['NEXUS_SEED'] ?? '1',
    '--no-color',
  ]
  const run = promisify(execFile)(program, args, { cwd: home, maxBuffer: 1 << 26 })
  const { stdout } = await run.catch((error: { stdout: string; message: string }) => {
    throw new Error(`schemathesis found something:\n${(error.stdout || error.message).slice(-8_000)}`)
  })
  console.log(stdout.slice(-1_200))
  expect(stdout).toMatch(/(\d+) generated, \1 passed/)
})

/** The proxy signs each request on its way; that it would be refused otherwise is tested elsewhere. */
function withoutSecurity(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document, (name, value) => (name.startsWith('security') ? undefined : value)))
}
