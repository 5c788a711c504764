/**
 * Compiles the contracts to src/generated/contracts.ts, the same bytes on every machine: pinned compilers of npm, no
 * metadata in the code. `node contracts/compile.ts` writes the file; a test sees that it is up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import openZeppelin from '@openzeppelin/contracts/package.json' with { type: 'json' }
import { Cell } from '@ton/core'
import { compileFunc, compilerVersion } from '@ton-community/func-js'
import solc from 'solc'
import { keccak256 } from 'viem'

export interface CompiledContract {
  readonly abi: readonly unknown[]
  readonly creation: `0x${string}`
  readonly runtime: `0x${string}`
  /** State variables with their slots. */
  readonly storage: readonly { readonly label: string; readonly slot: string }[]
}

const SOLIDITY = ['StateAnchor', 'UserRegistry', 'PaymentProcessor'] as const
const GENERATED = new URL('../src/generated/contracts.ts', import.meta.url)

/** Paris: the newest instruction set that all chains of docs/spec/anchoring.md have. */
const SETTINGS = {
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 1_000_000 },
  metadata: { appendCBOR: false, bytecodeHash: 'none' },
  outputSelection: {
    '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'storageLayout'] },
  },
}

/** @throws {Error} with the compiler's words, for its warnings too */
export function compileSolidity(): Record<(typeof SOLIDITY)[number], CompiledContract> {
  const sources = Object.fromEntries(SOLIDITY.map((name) => [`${name}.sol`, { content: sourceOf(`./${name}.sol`) }]))
  const input = JSON.stringify({ language: 'Solidity', sources, settings: SETTINGS })
  const output = JSON.parse(solc.compile(input, { import: (path: string) => ({ contents: sourceOf(path) }) }))
  if (output.errors !== undefined) {
    throw new Error(output.errors.map((error: { formattedMessage: string }) => error.formattedMessage).join('\n'))
  }
  const compiled = SOLIDITY.map((name) => {
    const { abi, evm, storageLayout } = output.contracts[`${name}.sol`][name]
    const code = { creation: `0x${evm.bytecode.object}`, runtime: `0x${evm.deployedBytecode.object}` }
    return [name, { abi, ...code, storage: storageLayout.storage }]
  })
  return Object.fromEntries(compiled)
}

/** Code of anchor.fc as a bag of cells. @throws {Error} with the compiler's words, for its warnings too */
export async function compileFunC(): Promise<Cell> {
  const sources = (path: string) => sourceOf(`./${path}`)
  const compiled = await compileFunc({ targets: ['anchor.fc'], sources })
  if (compiled.status === 'error') throw new Error(compiled.message)
  if (compiled.warnings) throw new Error(compiled.warnings)
  return Cell.fromBase64(compiled.codeBoc)
}

/** The text of src/generated/contracts.ts. */
export async function generate(): Promise<string> {
  const contracts = Object.entries(compileSolidity()).map(([name, { creation, runtime }]) => {
    const hash = keccak256(runtime)
    return `/** ${name}.sol. */
export const ${name[0]?.toLowerCase()}${name.slice(1)}Code = {
  creation:
    '${creation}',
  runtimeHash: '${hash}',
} as const
`
  })
  const code = await compileFunC()
  contracts.push(`/** anchor.fc. */
export const tonAnchorCode = {
  boc: '${code.toBoc().toString('base64')}',
  hash: '${code.hash().toString('hex')}',
} as const
`)
  const { funcVersion } = await compilerVersion()
  const compilers = [`solc ${solc.version()}`, `OpenZeppelin ${openZeppelin.version}`, `FunC ${funcVersion}`]
  return `/**
 * Made by contracts/compile.ts from contracts/: not to be edited.
 * By ${compilers.join(', ')}.
 */

${contracts.join('\n')}`
}

function sourceOf(path: string): string {
  const local = path.startsWith('@') ? import.meta.resolve(path) : new URL(path, import.meta.url)
  return readFileSync(new URL(local), 'utf8')
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(GENERATED, await generate())
