import { open, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { decodeUtf8, encodeUtf8, equalBytes, toHex } from '@nexus/codec'
import type { Link, MsgPack, ReceivedResource } from '@nexus/reticulum'
import { EXIT } from '../cli/exit-codes.ts'
import { CommandFailure } from '../cli/failure.ts'
import type { Context } from '../cli/frame.ts'
import type { Output } from '../cli/output.ts'
import { printable } from '../cli/table.ts'
import { hashOf, identityOf, type NetworkFlags, onNetwork, pretty } from './session.ts'

/** The destination that rncp waits at. */
const NAME = 'rncp.receive'
const FILE_BYTES_MAX = 512 * 1024 * 1024
const NAMES_MAX = 1_000

export interface CopyFlags extends NetworkFlags {
  readonly receive?: boolean
  readonly folder: string
  readonly allow: readonly string[]
  readonly once?: boolean
}

/** Sends one file. */
export async function sendFile(
  { flags, out, signal }: Context<CopyFlags>,
  file?: string,
  to?: string,
): Promise<number> {
  if (file === undefined || to === undefined) {
    throw new CommandFailure({
      exit: 'usage',
      code: 'arguments',
      message: 'name a file and a destination, or --receive',
    })
  }
  const hash = hashOf(to)
  const data = new Uint8Array(await readFile(file))
  await onNetwork(flags, async (reticulum) => {
    const { node } = reticulum
    const link = await node.connect(await node.resolve(hash, { timeoutMs: flags.timeout, signal }), { signal })
    link.identify(await identityOf(flags, reticulum))
    const startMs = performance.now()
    const transfer = link.sendResource(data, { metadata: { name: encodeUtf8(basename(file)) }, signal })
    transfer.progress.subscribe(({ sentBytes, totalBytes }) => showProgress(out, sentBytes / totalBytes))
    await transfer.done
    const seconds = (performance.now() - startMs) / 1_000
    out.json({ schema: 'nexus-rns-copied/1', file, bytes: data.length, seconds })
    out.print(`${printable(file)}: ${data.length} bytes in ${seconds.toFixed(1)} s`)
    link.close()
  })
  return EXIT.ok
}

/** Takes files until Ctrl-C. */
export async function receiveFiles({ flags, out, signal }: Context<CopyFlags>): Promise<number> {
  const allowed = flags.allow.map(hashOf)
  await onNetwork(flags, async (reticulum) => {
    const identity = await identityOf(flags, reticulum)
    const inbox = reticulum.node.serve(identity, NAME)
    const maySend = ({ remoteIdentity }: Link) =>
      allowed.length === 0 ||
      allowed.some((hash) => remoteIdentity !== undefined && equalBytes(hash, remoteIdentity.hash))
    const done = new AbortController()
    signal.addEventListener('abort', () => done.abort())
    inbox.announce()
    out.json({ schema: 'nexus-rns-receiving/1', hash: toHex(inbox.hash) })
    out.print(`waiting for files at ${pretty(inbox.hash)}`)
    const received = async (link: Link, resource: ReceivedResource) => {
      const from = link.remoteIdentity?.hash
      const file = await keep(flags.folder, nameOf(resource.metadata), resource.data)
      const bytes = resource.data.length
      out.json({ schema: 'nexus-rns-received/1', file, bytes, from: from === undefined ? null : toHex(from) })
      out.print(`${printable(file)}: ${bytes} bytes${from === undefined ? '' : ` from ${pretty(from)}`}`)
      if (flags.once) done.abort()
    }
    // The sender chose the name: one that the disk does not take ends nothing here.
    const unkept = (error: Error) => out.say(`a file was not kept: ${printable(error.message)}`)
    inbox.links.subscribe((link) => {
      link.resourcePolicy = ({ totalBytes }) => {
        if (maySend(link)) return totalBytes <= FILE_BYTES_MAX
        out.say('a file from someone who may not send was refused')
        return false
      }
      link.resources.subscribe((each) => void received(link, each).catch(unkept))
    })
    if (!done.signal.aborted) await new Promise((resolve) => done.signal.addEventListener('abort', resolve))
  })
  return EXIT.ok
}

/** The name that the sender gives, without any folder; what is no name becomes `received`. */
function nameOf(metadata: MsgPack | undefined): string {
  const given = metadata instanceof Map ? metadata.get('name') : undefined
  const text = given instanceof Uint8Array ? decodeUtf8(given) : typeof given === 'string' ? given : undefined
  const name = basename((text ?? '').replaceAll('\\', '/')).replaceAll('\0', '')
  return name === '' || name === '.' || name === '..' ? 'received' : name
}

/** Writes a file that was not there before: the second `a.txt` becomes `a.txt.1`. */
async function keep(folder: string, name: string, data: Uint8Array): Promise<string> {
  for (let n = 0; n < NAMES_MAX; n++) {
    const path = join(folder, n === 0 ? name : `${name}.${n}`)
    try {
      await using file = await open(path, 'wx', 0o600)
      await file.writeFile(data)
      return path
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  throw new CommandFailure({ exit: 'failed', code: 'names', message: `${name} is there ${NAMES_MAX} times already` })
}

function showProgress(out: Output, share: number): void {
  if (!out.isJson && process.stderr.isTTY) process.stderr.write(`\r${Math.floor(100 * share)} %\r`)
}
