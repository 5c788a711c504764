import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { CACHE } from './folders.ts'

const OUTPUT = join(CACHE, 'built')
/** Roles whose start and memory are measured. */
const ROLES = ['memory', 'starter', 'reticulum']
/** Some dependencies are CommonJS, and ask for `require`. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

let building: Promise<unknown> | undefined

/**
 * The program of a role as JavaScript, bundled as published programs are, with what is loaded late apart: run from its
 * sources it would carry, and start, the compiler that strips their types.
 */
export async function builtRole(role: string): Promise<string> {
  building ??= build({
    entryPoints: ROLES.map((name) => fileURLToPath(new URL(`./roles/${name}.ts`, import.meta.url))),
    outdir: OUTPUT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    conditions: ['nexus-source'],
    banner: { js: REQUIRE },
    logLevel: 'error',
  })
  await building
  return join(OUTPUT, `${role}.mjs`)
}
