import { defineConfig } from 'vitest/config'

// Packages are tested from their sources: the `nexus-source` condition of every exports map names src/.
const conditions = ['nexus-source', 'module', 'node', 'import', 'default']

// Long suites are named *.slow.ts; tools/suite.ts lets them in.
const kinds = process.env['NEXUS_SLOW'] ? '{test,slow}' : 'test'

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['packages/*/*', 'apps/*', 'bench', 'conformance-vectors', 'tools'].map(
      (folder) => `${folder}/test/**/*.${kinds}.ts`,
    ),
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
})
