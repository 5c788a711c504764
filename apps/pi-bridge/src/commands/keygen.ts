import { Command } from 'commander'
import { action } from '../cli/frame.ts'
import {
  changePassphrase,
  combine,
  type KeyFlags,
  makeIdentity,
  makeNetworkKey,
  showIdentity,
  split,
} from '../keys/keys.ts'

/** `nexus-keygen`: identities, their shares, network keys. */
export function keygenCommand(): Command {
  const command = new Command('nexus-keygen').description(
    'Make and keep keys: the identity of a node, its shares, network keys.',
  )
  command
    .command('identity')
    .description('Make a new identity: a file that is the node. An existing file is never replaced.')
    .option('-o, --out <file>', 'where to; the identity file of the configuration, if not given')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase; else it is asked for')
    .option('--plain', 'no passphrase: whoever reads the file is the node. For relays that start unattended')
    .action(action<KeyFlags>((context) => makeIdentity(context)))
  command
    .command('show')
    .description('Show the NodeID and the public key of an identity.')
    .argument('[file]', 'identity file; that of the configuration, if not given')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase; else it is asked for')
    .action(action<KeyFlags>((context, file) => showIdentity(context, file)))
  command
    .command('passphrase')
    .description('Change the passphrase of an identity, give it one, or (--plain) take it away.')
    .argument('[file]', 'identity file; that of the configuration, if not given')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase it has')
    .option('--new-passphrase-file <file>', 'file whose first line is the new passphrase')
    .option('--plain', 'leave the file without a passphrase')
    .action(action<KeyFlags>((context, file) => changePassphrase(context, file)))
  command.addCommand(sharesCommand())
  command
    .command('network-key')
    .description('Make the key of a closed network from a passphrase; the same on every node that knows it.')
    .requiredOption('-o, --out <file>', 'where to')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase; else it is asked for')
    .action(action<KeyFlags>((context) => makeNetworkKey(context)))
  return command
}

function sharesCommand(): Command {
  const shares = new Command('shares').description('Split an identity among friends, and put it together again.')
  shares
    .command('split')
    .description('Split an identity into shares, any K of which restore it; fewer tell nothing.')
    .argument('[file]', 'identity file; that of the configuration, if not given')
    .requiredOption('-k, --threshold <count>', 'how many shares restore it, 2 to 16')
    .requiredOption('-n, --shares <count>', 'how many shares to make, up to 16')
    .option('--passphrase-file <file>', 'file whose first line is the passphrase; else it is asked for')
    .action(
      action<KeyFlags & { threshold: string; shares: string }>((context, file) =>
        split(context, file, Number(context.flags.threshold), Number(context.flags.shares)),
      ),
    )
  shares
    .command('combine')
    .description('Restore an identity from shares: as arguments, or on standard input, one a line.')
    .argument('[shares...]', 'the shares, in any order')
    .option('-o, --out <file>', 'where to; the identity file of the configuration, if not given')
    .option(
      '--passphrase-file <file>',
      'file whose first line is the passphrase that the file gets; else it is asked for',
    )
    .option('--plain', 'leave the file without a passphrase')
    .action(action<KeyFlags>((context, ...texts) => combine(context, texts)))
  return shares
}
