import { Command, Option } from 'commander'
import { action } from '../cli/frame.ts'
import { durationMs } from '../cli/parse.ts'
import { interfaceText } from '../config/interface-text.ts'
import { SETTINGS, type Setting } from '../config/settings.ts'
import { DEMO_NODE } from '../demo/plan.ts'
import { BACKGROUND } from '../run/daemon.ts'
import { checkConfig, showConfig } from './node-config.ts'
import { runDemonstration, runDemonstrationNode } from './node-demo.ts'
import { runInBackground, type StartFlags, startNode } from './node-start.ts'
import { nodeStatus } from './node-status.ts'
import { restartNode, stopNode } from './node-stop.ts'

/** `nexus-node`: a node's life, from start to stop. */
export function nodeCommand(): Command {
  const command = new Command('nexus-node').description('Run a node: start and stop it, check its configuration.')
  command.addCommand(withSettings(startCommand()))
  command
    .command('stop')
    .description('End the running node in good order.')
    .addOption(
      new Option('--timeout <duration>', 'how long to wait for its end').argParser(durationMs).default(15_000, '15s'),
    )
    .action(action<{ timeout: number }>((context) => stopNode(context)))
  command.addCommand(
    withSettings(
      new Command('restart')
        .description('Stop the running node, if there is one, and start it anew in the background.')
        .addOption(
          new Option('--timeout <duration>', 'how long to wait for its end')
            .argParser(durationMs)
            .default(15_000, '15s'),
        )
        .addOption(new Option('--passphrase-stdin', 'the first line of standard input is the passphrase'))
        .action(action<StartFlags & { timeout: number }>((context) => restartNode(context))),
    ),
  )
  command
    .command('status')
    .description('Say in a line whether the node runs; nexus-status shows more.')
    .action(action((context) => nodeStatus(context)))
  command.addCommand(configCommand())
  command
    .command('demo')
    .description('Five nodes on this machine, the air between them, and a live page.')
    .option('--fresh', 'begin anew')
    .option('--state <folder>', 'where the nodes keep their state')
    .option('--port <port>', 'first port to try for the page', '4280')
    .action(action<{ fresh?: true; state?: string; port: string }>((context) => runDemonstration(context)))
  command
    .command(DEMO_NODE, { hidden: true })
    .description('What demo runs five times.')
    .action(action(() => runDemonstrationNode()))
  command
    .command(BACKGROUND, { hidden: true })
    .description('What start --daemon runs.')
    .action(action((context) => runInBackground(context)))
  return command
}

function startCommand(): Command {
  return new Command('start')
    .description('Start a node, in the foreground unless told otherwise.')
    .addOption(new Option('--foreground', 'stay attached to the terminal; the default').conflicts('daemon'))
    .addOption(new Option('--daemon', 'run in the background; the log goes to node.log in the state folder'))
    .addOption(new Option('--passphrase-stdin', 'the first line of standard input is the passphrase of the identity'))
    .action(action<StartFlags>((context) => startNode(context)))
}

function configCommand(): Command {
  const config = new Command('config').description('Look at the configuration without starting a node.')
  config.addCommand(
    withSettings(
      new Command('check')
        .description('Say what is wrong with it, if anything.')
        .action(action<Record<string, unknown>>((context) => checkConfig(context))),
    ),
  )
  config.addCommand(
    withSettings(
      new Command('show')
        .description('Print every setting as it would be used, as TOML; with --json as JSON.')
        .action(action<Record<string, unknown>>((context) => showConfig(context))),
    ),
  )
  return config
}

/** Every setting of the configuration as a flag. What is wrong with a value is said by the schema, as for the file. */
function withSettings(command: Command): Command {
  for (const setting of SETTINGS) {
    // The global flag of this name is the same setting.
    if (setting.key === 'socket') continue
    for (const option of optionsOf(setting))
      command.addOption(option.helpGroup('Settings (also NEXUS_… variables and the file):'))
  }
  return command
}

function optionsOf(setting: Setting): Option[] {
  const { kind, flag, description, choices, defaultValue } = setting
  const usual = defaultValue === undefined || kind === 'interfaces' ? '' : ` (${String(defaultValue)})`
  switch (kind) {
    case 'boolean':
      return [
        new Option(flag, description),
        new Option(flag.replace('--', '--no-'), `do not ${description}`).hideHelp(),
      ]
    case 'interfaces':
      return [
        new Option(
          '-i, --interface <spec>',
          'an interface, such as udp,port=4242 or tcp-client,address=host:4242; again for more; replaces those of the file',
        ).argParser((text: string, before: unknown[] | undefined) => [...(before ?? []), interfaceText(text)]),
      ]
    case 'choice':
      return [new Option(`${flag} <choice>`, `${description}: ${choices.join(', ')}${usual}`)]
    case 'number':
      return [new Option(`${flag} <number>`, description + usual)]
    case 'text':
      return [new Option(`${flag} <text>`, description + usual)]
  }
}
