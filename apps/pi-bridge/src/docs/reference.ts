import { methods } from '@nexus/node/api'
import { z } from 'zod'
import { EXIT, EXIT_MEANINGS, type ExitName } from '../cli/exit-codes.ts'
import { PUBLISHED } from '../cli/schemas.ts'
import { interfaceSchemas } from '../config/interfaces.ts'
import { OTHER_VARIABLES } from '../config/load.ts'
import { waySchemas } from '../config/reticulum.ts'
import { configSchema } from '../config/schema.ts'
import { SETTINGS, type Setting, unwrap } from '../config/settings.ts'

/** The parts of the documentation that are made from the code. */

const ID = 'urn:nexus:schema:'

/** Every file of docs/schemas by its name. */
export function schemaFiles(): Map<string, string> {
  const files = new Map<string, string>()
  for (const [name, { schema, printedBy }] of Object.entries(PUBLISHED)) {
    files.set(
      `${name}.json`,
      json({ $id: ID + name, title: name, $comment: printedBy, ...jsonSchema(schema, 'output') }),
    )
  }
  files.set('config.json', json({ $id: `${ID}config`, title: 'config', ...jsonSchema(configSchema, 'input') }))
  const all = Object.entries(methods).map(([name, { params, result, stream }]) => [
    name,
    { stream, params: jsonSchema(params, 'input'), result: jsonSchema(result, 'output') },
  ])
  files.set(
    'control.json',
    json({ title: 'control', $comment: 'docs/spec/control.md', methods: Object.fromEntries(all) }),
  )
  files.set('README.md', schemasPage())
  return files
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema, ...rest } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: made }) => {
      // Results may get further fields; what is given to us may not have any that we do not know.
      if (io === 'output' && made.additionalProperties === false) delete made.additionalProperties
    },
  }) as Record<string, unknown>
  return { $schema, ...rest }
}

function json(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}

function schemasPage(): string {
  const rows = Object.entries(PUBLISHED).map(
    ([name, { printedBy }]) => `| [${name}.json](${name}.json) | ${printedBy} |`,
  )
  return [
    '# JSON Schemas',
    '',
    'What the commands print with `--json`, what the control socket carries (docs/spec/control.md), and the configuration.',
    'Made from the code by `node --conditions=nexus-source apps/pi-bridge/src/docs/generate.ts`; a test sees that they are up',
    'to date. Fields are added without a new version; readers pass over what they do not know. A change that breaks readers',
    'gets a new number in `schema`.',
    '',
    '| Schema | Printed by |',
    '| --- | --- |',
    ...rows,
    '| [config.json](config.json) | the configuration file, also for editors |',
    '| [control.json](control.json) | parameters and results of every method of the control socket |',
    '',
  ].join('\n')
}

/** The generated parts of docs/guides/operator.md by the name of their markers. */
export function guideParts(): Map<string, string> {
  return new Map([
    ['settings', settingsTable()],
    ['interfaces', interfaceTables()],
    ['variables', variablesTable()],
    ['exit-codes', exitCodesTable()],
  ])
}

/** A page with the text between each pair of markers `<!-- made: name -->` and `<!-- end: name -->` made anew. */
export function withParts(page: string, parts: ReadonlyMap<string, string>): string {
  let made = page
  for (const [name, text] of parts) {
    const [begin, end] = [`<!-- made: ${name} -->`, `<!-- end: ${name} -->`]
    const [from, to] = [made.indexOf(begin), made.indexOf(end)]
    if (from < 0 || to < from) throw new Error(`the page has no place for ${name}`)
    made = `${made.slice(0, from + begin.length)}\n${text}\n${made.slice(to)}`
  }
  return made
}

function settingsTable(): string {
  const rows = SETTINGS.map((setting) => {
    const { key, env, description } = setting
    return `| \`${key}\` | \`${flagText(setting)}\` | \`${env}\` | ${escaped(description)} | ${defaultText(setting)} |`
  })
  return [
    '| Setting | Flag of `nexus-node start` | Variable | Meaning | If not given |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

function flagText({ kind, flag, choices }: Setting): string {
  if (kind === 'boolean') return flag
  if (kind === 'interfaces') return '--interface <spec>'
  return kind === 'choice' ? `${flag} ${choices.join('\\|')}` : `${flag} <${kind}>`
}

function defaultText({ defaultValue, kind }: Setting): string {
  if (kind === 'interfaces') return 'one `udp` on port 4242, with discovery'
  return defaultValue === undefined ? '–' : `\`${String(defaultValue)}\``
}

function interfaceTables(): string {
  const ways = tablesOf(waySchemas, (type) => `**\`${type}\`** among \`ways\` of \`reticulum\``)
  return `${tablesOf(interfaceSchemas, (type) => `**\`${type}\`**`)}\n\n${ways}`
}

function tablesOf(schemas: Readonly<Record<string, z.ZodObject>>, heading: (type: string) => string): string {
  return Object.entries(schemas)
    .map(([type, schema]) => {
      const rows = Object.entries(schema.shape)
        .filter(([name]) => name !== 'type')
        .map(([name, field]) => {
          const { defaultValue } = unwrap(field as z.ZodType)
          const isNeeded = !(field as z.ZodType).safeParse(undefined).success
          const usual = isNeeded
            ? '**needed**'
            : defaultValue === undefined
              ? '–'
              : `\`${JSON.stringify(defaultValue)}\``
          return `| \`${name}\` | ${escaped((field as z.ZodType).description ?? '')} | ${usual} |`
        })
      return [heading(type), '', '| Setting | Meaning | If not given |', '| --- | --- | --- |', ...rows].join('\n')
    })
    .join('\n\n')
}

function variablesTable(): string {
  const rows = Object.entries(OTHER_VARIABLES).map(([name, meaning]) => `| \`${name}\` | ${escaped(meaning)} |`)
  return ['| Variable | Meaning |', '| --- | --- |', ...rows].join('\n')
}

function exitCodesTable(): string {
  const rows = Object.entries(EXIT).map(([name, code]) => `| ${code} | ${EXIT_MEANINGS[name as ExitName]} |`)
  return ['| Code | Meaning |', '| ---: | --- |', ...rows].join('\n')
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|')
}
