import { decodeUtf8, toHex } from '@nexus/codec'
import type { LxmfMethod } from '@nexus/reticulum'
import { lxmfOn } from '@nexus/reticulum/node'
import { EXIT } from '../cli/exit-codes.ts'
import type { Context } from '../cli/frame.ts'
import { printable } from '../cli/table.ts'
import { hashOf, identityOf, type NetworkFlags, onNetwork, pretty } from './session.ts'

const ANNOUNCE_MS = 600_000

export interface LxmfFlags extends NetworkFlags {
  readonly title?: string
  readonly method?: LxmfMethod
  readonly name: string
  readonly count?: number
}

/** Delivers one message. */
export async function send({ flags, out, signal }: Context<LxmfFlags>, to: string, text: string): Promise<number> {
  const hash = hashOf(to)
  await onNetwork(flags, async (reticulum) => {
    const lxmf = lxmfOn(reticulum, { identity: await identityOf(flags, reticulum), displayName: flags.name })
    // Who gets a message can check it only if it knows whose it is.
    lxmf.announce()
    const draft = { content: text, ...(flags.title === undefined ? {} : { title: flags.title }) }
    const method = flags.method === undefined ? {} : { method: flags.method }
    const id = await lxmf.send(hash, draft, { ...method, signal, timeoutMs: flags.timeout })
    out.json({ schema: 'nexus-rns-lxmf-sent/1', id: toHex(id), to: toHex(hash) })
    out.print(`delivered to ${pretty(hash)}`)
    lxmf.close()
  })
  return EXIT.ok
}

/** Prints messages as they come. */
export async function listen({ flags, out, signal }: Context<LxmfFlags>): Promise<number> {
  await onNetwork(flags, async (reticulum) => {
    const lxmf = lxmfOn(reticulum, { identity: await identityOf(flags, reticulum), displayName: flags.name })
    lxmf.announce()
    const again = setInterval(() => lxmf.announce(), ANNOUNCE_MS)
    out.json({ schema: 'nexus-rns-lxmf-listening/1', hash: toHex(lxmf.hash) })
    out.print(`listening as ${pretty(lxmf.hash)}`)
    let left = flags.count ?? Number.POSITIVE_INFINITY
    for await (const message of lxmf.messages.values({ signal })) {
      const { id, source, timestamp, signatureState, method } = message
      const [title, content] = [decodeUtf8(message.title) ?? '', decodeUtf8(message.content) ?? '']
      const hashes = { id: toHex(id), from: toHex(source) }
      out.json({ schema: 'nexus-rns-lxmf/1', ...hashes, timestamp, signature: signatureState, method, title, content })
      const doubt = signatureState === 'valid' ? '' : ` (signature ${signatureState})`
      out.print(`${pretty(source)}${doubt}${title === '' ? '' : ` – ${printable(title)}`}: ${printable(content)}`)
      if (--left === 0) break
    }
    clearInterval(again)
    lxmf.close()
  })
  return EXIT.ok
}
