import { defineConfig } from 'vitest/config'

// Packages are tested from their sources: the `nexus-source` condition of every exports map names src/. What Node loads by
// itself gets that one alone: with `import` among them it would hand ES modules to those who `require`.
const conditions = ['nexus-source', 'module', 'node']

// Long suites are named *.slow.ts; tools/suite.ts lets them in.
const kinds = process.env['NEXUS_SLOW'] ? '{test,slow}' : 'test'

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ['nexus-source'] } },
  test: {
    include: ['packages/*/*', 'apps/*', 'bench', 'conformance-vectors', 'tools'].map(
      (folder) => `${folder}/test/**/*.${kinds}.ts`,
    ),
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
