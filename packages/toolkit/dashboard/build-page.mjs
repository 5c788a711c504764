/**
 * `build:page`: builds the page into dist/page, or into the folder that is given: one script, one style sheet, the
 * document and its icon; the same bytes each time.
 */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const source = fileURLToPath(new URL('src/page/', import.meta.url))
const folder = process.argv[2] ?? fileURLToPath(new URL('dist/page/', import.meta.url))

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
await build({
  entryPoints: ['main.tsx', 'page.css'].map((file) => ({ in: join(source, file), out: 'page' })),
  outdir: folder,
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: ['chrome120', 'firefox120', 'safari17'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: true,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
})
for (const file of ['index.html', 'icon.svg']) copyFileSync(join(source, file), join(folder, file))
