import { Command } from 'commander'
import { z } from 'zod'
import { action } from '../cli/frame.ts'
import { withoutSecrets } from '../config/load.ts'
import { configSchema } from '../config/schema.ts'
import { openApiDocument } from '../http/openapi.ts'
import { demoCommand } from './demo.ts'
import { grantCommand, keyCommand } from './keys.ts'
import { entryCommand, historyCommand, proveCommand, verifyCommand } from './ledger.ts'
import { downCommand, logsCommand, statusCommand, upCommand } from './life.ts'
import {
  anchorCommand,
  backupCommand,
  eraseCommand,
  exportCommand,
  recountCommand,
  restoreCommand,
} from './maintenance.ts'
import { addSettings, configOf } from './options.ts'

/** The whole command line. */
export function gatewayProgram(): Command {
  const program = new Command('nexus-gateway').description('a ledger service on your own hardware')
  const commands = [
    upCommand(),
    downCommand(),
    statusCommand(),
    logsCommand(),
    keyCommand(),
    grantCommand(),
    entryCommand(),
    historyCommand(),
    proveCommand(),
    verifyCommand(),
    backupCommand(),
    restoreCommand(),
    recountCommand(),
    eraseCommand(),
    exportCommand(),
    anchorCommand(),
    configCommand(),
    openApiCommand(),
    demoCommand(),
  ]
  for (const command of commands) program.addCommand(command)
  return program
}

function configCommand(): Command {
  return addSettings(new Command('config'))
    .description('check the configuration and print what holds; with --schema every setting as JSON Schema')
    .option('--schema', 'print the schema')
    .action(
      action<{ readonly schema?: boolean }>(({ out, global, flags }) => {
        const shown = flags.schema
          ? z.toJSONSchema(configSchema, { io: 'input' })
          : withoutSecrets(configOf(global, flags))
        out.data(shown, JSON.stringify(shown, null, 2))
      }),
    )
}

function openApiCommand(): Command {
  return new Command('openapi').description('print the API as OpenAPI 3.1').action(
    action(({ out, global }) => {
      const document = openApiDocument(configOf(global).origin)
      out.data(document, JSON.stringify(document, null, 2))
    }),
  )
}
