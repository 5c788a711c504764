/** Makes docs/schemas and the generated parts of docs/guides/operator.md anew. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { guideParts, schemaFiles, withParts } from './reference.ts'

const docs = join(import.meta.dirname, '..', '..', '..', '..', 'docs')
const schemas = join(docs, 'schemas')
const guide = join(docs, 'guides', 'operator.md')

mkdirSync(schemas, { recursive: true })
const files = schemaFiles()
for (const name of readdirSync(schemas)) if (!files.has(name)) rmSync(join(schemas, name))
for (const [name, text] of files) writeFileSync(join(schemas, name), text)
writeFileSync(guide, withParts(readFileSync(guide, 'utf8'), guideParts()))
