import { Command, Option } from 'commander'
import { withNode } from '../cli/connect.ts'
import { CommandFailure } from '../cli/failure.ts'
import { action } from '../cli/frame.ts'
import { wholeNumber } from '../cli/parse.ts'
import { printable } from '../cli/table.ts'

interface Flags {
  readonly count?: number
  readonly peek?: true
}

/** `nexus-listen`: messages as they come. */
export function listenCommand(): Command {
  return new Command('nexus-listen')
    .description('Print messages as they come, those not yet taken first; Ctrl-C ends it.')
    .addOption(
      new Option('-n, --count <count>', 'end after so many').argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    )
    .option('--peek', 'leave the messages in the inbox')
    .action(
      action<Flags>(async ({ global, flags, out, signal }) => {
        await withNode(global, async (node) => {
          let left = flags.count ?? Number.POSITIVE_INFINITY
          out.say('Listening; Ctrl-C ends it.')
          for await (const message of node.stream('listen', { take: false }, signal)) {
            out.json(message)
            const from = message.from === null ? 'anonymous' : (message.fromLabel ?? message.from.slice(0, 12))
            const at = new Date(message.receivedAt).toLocaleTimeString('en-GB')
            const text =
              message.text === undefined ? `${message.bodyHex.length / 2} bytes: ${message.bodyHex}` : message.text
            out.print(
              `${out.colors.dim(at)} ${out.colors.cyan(printable(from))}  ${text.split('\n').map(printable).join('\n')}`,
            )
            // Only what was printed is taken: a message is rather shown twice than lost.
            if (!flags.peek) await node.call('take', { key: message.key })
            if (--left <= 0) return
          }
          if (!signal.aborted) {
            throw new CommandFailure({ exit: 'noNode', code: 'no-node', message: 'the node has stopped' })
          }
        })
        return undefined
      }),
    )
}
