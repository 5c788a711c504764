import { createReadStream } from 'node:fs'
import type { MessageStatus } from '@nexus/node/api'
import type { ControlClient } from '@nexus/node/control'
import { Command, Option } from 'commander'
import { pause, withNode } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import { CommandFailure } from '../cli/failure.ts'
import { action, type Context } from '../cli/frame.ts'
import { durationMs } from '../cli/parse.ts'

interface Flags {
  readonly file?: string
  readonly wait?: true
  readonly timeout: number
  readonly expires?: number
  readonly anonymous?: true
}

/** The largest body of a message, and one byte more to notice what is too large. */
const BODY_BYTES_MAX = 65_536
const POLL_MS = 100

/** `nexus-send`: a message to a node. */
export function sendCommand(): Command {
  return new Command('nexus-send')
    .description('Send a message: a text, a file, or what comes on standard input.')
    .argument('<to>', 'NodeID, or the name or label of a node')
    .argument('[text...]', 'the message; standard input, if not given')
    .option('-f, --file <path>', 'send the content of a file; - is standard input')
    .option('-w, --wait', 'wait until it is delivered or has failed')
    .addOption(new Option('--timeout <duration>', 'how long to wait').argParser(durationMs).default(60_000, '60s'))
    .addOption(new Option('--expires <duration>', 'how long the node keeps trying').argParser(durationMs))
    .option('--anonymous', 'hide the sender, also from the receiver; there is no receipt then')
    .action(action<Flags>((context, to, ...words) => send(context, to!, words)))
}

async function send(context: Context<Flags>, to: string, words: readonly string[]): Promise<number> {
  const { flags, out, global } = context
  if (flags.anonymous && flags.wait) {
    const message = 'an anonymous message has no receipt to wait for'
    throw new CommandFailure({ exit: 'usage', code: 'usage', message, next: 'leave out --wait or --anonymous' })
  }
  const body = await bodyOf(flags.file, words, (text) => out.say(text))
  return withNode(global, async (node) => {
    const status = await node.call('send', {
      to,
      anonymous: flags.anonymous === true,
      bodyHex: body.toString('hex'),
      ...(flags.expires === undefined ? {} : { expiresMs: flags.expires }),
    })
    if (!flags.wait) {
      out.json(status)
      out.print(`message ${status.id} to ${status.to} is ${status.state}`)
      return status.state === 'failed' ? EXIT.unanswered : EXIT.ok
    }
    return settle(context, await waitFor(node, status, context))
  })
}

/** Follows a message until it is settled, the time is over, or Ctrl-C. */
async function waitFor(
  node: ControlClient,
  first: MessageStatus,
  { flags, signal, out }: Context<Flags>,
): Promise<MessageStatus> {
  const endMs = performance.now() + flags.timeout
  let status = first
  let told = ''
  for (;;) {
    if (status.state !== told && (status.state === 'queued' || status.state === 'sent')) {
      out.say(status.state === 'queued' ? 'queued: no way to the destination yet …' : 'sent: waiting for the receipt …')
    }
    told = status.state
    if (status.state === 'delivered' || status.state === 'failed') return status
    if (signal.aborted || performance.now() >= endMs) return status
    await pause(POLL_MS, signal)
    status = await node.call('message', { id: status.id })
  }
}

function settle({ out, flags, signal }: Context<Flags>, status: MessageStatus): number {
  out.json(status)
  const { id, state } = status
  if (state === 'delivered') {
    out.print(`delivered: message ${id}`)
    return EXIT.ok
  }
  if (state === 'failed') {
    out.print(
      `failed: message ${id}: ${status.reason ?? 'unknown'}${status.next === undefined ? '' : `; ${status.next}`}`,
    )
    return EXIT.unanswered
  }
  const why = signal.aborted ? 'interrupted' : `not delivered within ${flags.timeout / 1_000} s`
  out.print(
    `${state}: message ${id} ${why}; the node keeps trying for ${Math.round(status.expiresInMs / 60_000)} min more`,
  )
  out.say(`See where it would go with nexus-path ${status.to}, and how far it gets with nexus-trace ${status.to}.`)
  return EXIT.unanswered
}

async function bodyOf(
  file: string | undefined,
  words: readonly string[],
  say: (text: string) => void,
): Promise<Buffer> {
  if (file !== undefined && words.length > 0) {
    throw new CommandFailure({ exit: 'usage', code: 'usage', message: 'give either a text or --file' })
  }
  if (words.length > 0) return Buffer.from(words.join(' '), 'utf8')
  if ((file === undefined || file === '-') && process.stdin.isTTY) say('Type the message, then Ctrl-D.')
  try {
    return await read(file === undefined || file === '-' ? process.stdin : createReadStream(file))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new CommandFailure({ exit: 'notFound', code: 'file-missing', message: `${file} does not exist` })
  }
}

async function read(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array)
    chunks.push(bytes)
    length += bytes.length
    // What is too large is refused by the node in its own words; there is no need to hold all of it.
    if (length > BODY_BYTES_MAX) break
  }
  return Buffer.concat(chunks)
}
