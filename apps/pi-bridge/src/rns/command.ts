import { Command, Option } from 'commander'
import { action } from '../cli/frame.ts'
import { durationMs, wholeNumber } from '../cli/parse.ts'
import type { CopyFlags } from './copy.ts'
import type { ProbeFlags, StatusFlags } from './look.ts'
import type { LxmfFlags } from './lxmf.ts'
import { type NetworkFlags, withNetwork } from './session.ts'

/** `nexus-rns`: a Reticulum node for the length of a command. */
export function rnsCommand(): Command {
  const command = new Command('nexus-rns').description('Look at a Reticulum network, and send over it.')
  withNetwork(command.command('status'))
    .description('Join a network, listen for a while, and show interfaces and the destinations that were heard.')
    .addOption(new Option('--for <duration>', 'how long to listen').argParser(durationMs).default(5_000, '5s'))
    .action(action<StatusFlags>(async (context) => (await import('./look.ts')).status(context)))
  withNetwork(command.command('path'))
    .description('Ask the network for the way to a destination.')
    .argument('<hash>', 'destination hash')
    .action(action<NetworkFlags>(async (context, hash) => (await import('./look.ts')).path(context, hash!)))
  withNetwork(command.command('probe'))
    .description('Send packets to a destination that proves them, and measure the round trip.')
    .argument('<hash>', 'destination hash')
    .addOption(new Option('-n, --count <count>', 'how often').argParser(wholeNumber(1, 10_000)).default(4))
    .addOption(new Option('--size <bytes>', 'of the payload').argParser(wholeNumber(0, 383)).default(16))
    .action(action<ProbeFlags>(async (context, hash) => (await import('./look.ts')).probe(context, hash!)))
  withNetwork(command.command('cp'))
    .description('Copy a file to where nexus-rns cp --receive, or rncp --listen, waits; or wait for files.')
    .argument('[file]', 'file to send')
    .argument('[hash]', 'destination hash of who waits')
    .option('--receive', 'wait for files, and print where')
    .addOption(new Option('--folder <folder>', 'where received files go').default('.'))
    .addOption(
      new Option('--allow <hash>', 'identity that may send; repeatable; anyone, if not given')
        .argParser((value: string, before: string[]) => [...before, value])
        .default([]),
    )
    .option('--once', 'end after the first file')
    .action(
      action<CopyFlags>(async (context, file, hash) => {
        const { receiveFiles, sendFile } = await import('./copy.ts')
        return context.flags.receive ? receiveFiles(context) : sendFile(context, file, hash)
      }),
    )
  command.addCommand(lxmfCommand())
  return command
}

function lxmfCommand(): Command {
  const command = new Command('lxmf').description(
    'Messages to and from clients of LXMF, such as Sideband and NomadNet.',
  )
  withNetwork(command.command('send'))
    .description('Send a message; done when the recipient has proved it.')
    .argument('<hash>', 'LXMF address')
    .argument('<text>', 'what to say')
    .addOption(new Option('--title <title>', 'title of the message'))
    .addOption(new Option('--method <method>', 'how to deliver it').choices(['direct', 'opportunistic']))
    .addOption(new Option('--name <name>', 'display name').default('nexus'))
    .action(action<LxmfFlags>(async (context, hash, text) => (await import('./lxmf.ts')).send(context, hash!, text!)))
  withNetwork(command.command('listen'))
    .description('Announce an address and print messages as they come.')
    .addOption(new Option('--name <name>', 'display name').default('nexus'))
    .addOption(new Option('-n, --count <count>', 'end after so many').argParser(wholeNumber(1, 1_000_000)))
    .action(action<LxmfFlags>(async (context) => (await import('./lxmf.ts')).listen(context)))
  return command
}
