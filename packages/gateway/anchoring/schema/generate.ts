/**
 * Makes the JSON schemas beside this file from the code. `node --conditions=nexus-source schema/generate.ts` writes them; a
 * test sees that they are up to date.
 */
import { writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { bundleSchema, exportSchema } from '@nexus/anchoring'
import { z } from 'zod'

/** Every file by its name. */
export function schemas(): Readonly<Record<string, string>> {
  return { 'proof.json': textOf(bundleSchema), 'export.json': textOf(exportSchema) }
}

function textOf(schema: z.ZodType): string {
  return `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [name, text] of Object.entries(schemas())) writeFileSync(new URL(name, import.meta.url), text)
}
