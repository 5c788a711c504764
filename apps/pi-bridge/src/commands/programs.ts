import { Command } from 'commander'
import { rnsCommand } from '../rns/command.ts'
import { segmentCommand } from '../segment/command.ts'
import { channelCommand } from './channel.ts'
import { completionsCommand } from './completions.ts'
import { doctorCommand } from './doctor.ts'
import { keygenCommand } from './keygen.ts'
import { ledgerCommand } from './ledger.ts'
import { listenCommand } from './listen.ts'
import { nodeCommand } from './node.ts'
import { pathCommand } from './path.ts'
import { peerCommand } from './peer.ts'
import { pingCommand } from './ping.ts'
import { sendCommand } from './send.ts'
import { statusCommand } from './status.ts'
import { traceCommand } from './trace.ts'

/** The commands that are programs of their own, `nexus-<name>`, in the order of the guide. */
export function programs(): Command[] {
  return [
    keygenCommand(),
    nodeCommand(),
    statusCommand(),
    peerCommand(),
    sendCommand(),
    listenCommand(),
    pingCommand(),
    pathCommand(),
    traceCommand(),
    channelCommand(),
    ledgerCommand(),
    rnsCommand(),
    segmentCommand(),
    doctorCommand(),
  ]
}

/** `nexus`: all of them as subcommands, `nexus status` for `nexus-status`. */
export function umbrellaCommand(): Command {
  const umbrella = new Command('nexus').description('Run and look at a node of a NEXUS mesh.')
  for (const program of programs()) umbrella.addCommand(program.name(program.name().replace(/^nexus-/, '')))
  umbrella.addCommand(completionsCommand(() => [umbrella, ...programs()]))
  return umbrella
}
