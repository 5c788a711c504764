/** Builds the page into dist/page: one script, one style sheet, the document and its icon; the same bytes each time. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

rmSync(at('dist/page'), { recursive: true, force: true })
mkdirSync(at('dist/page'), { recursive: true })
await build({
  entryPoints: [at('src/page/main.tsx'), at('src/page/page.css')].map((path) => ({ in: path, out: 'page' })),
  outdir: at('dist/page'),
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
for (const file of ['index.html', 'icon.svg']) copyFileSync(at(`src/page/${file}`), at(`dist/page/${file}`))
