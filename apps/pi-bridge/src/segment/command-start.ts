import { meshAddress } from '@nexus/anchor-truth/node'
import { toHex } from '@nexus/codec'
import { EXIT } from '../cli/exit-codes.ts'
import type { Context } from '../cli/frame.ts'
import { eventOf } from './events.ts'
import { runSegment } from './run.ts'
import { loadSegmentSettings } from './settings.ts'

/** `nexus-segment start` */
export async function startSegment({
  global,
  flags,
  out,
  signal,
}: Context<{ readonly meshPort: number }>): Promise<number> {
  process.removeAllListeners('warning')
  const settings = loadSegmentSettings(global.config, process.env)
  const tell = (kind: string, interfaceName: string, text: string, facts: object): void => {
    out.json({
      schema: 'nexus-segment-event/1',
      at: new Date().toISOString(),
      kind,
      interface: interfaceName,
      text,
      facts,
    })
    out.print(text)
  }
  const running = await runSegment(settings, {
    event(interfaceName, event) {
      // Members are told of below, with their addresses.
      const told = event.kind === 'member' ? undefined : eventOf(interfaceName, event)
      if (told !== undefined) tell(event.kind, interfaceName, told.text, told.facts)
    },
    member(found) {
      const mesh = meshAddress(found, flags.meshPort)
      const nodeId = toHex(found.nodeId)
      const text = `Found ${nodeId.slice(0, 12)} on ${found.interfaceName}: its mesh, if it has one, is at ${mesh}.`
      tell('member', found.interfaceName, text, { nodeId, publicKey: toHex(found.publicKey), mesh })
    },
    problem: (interfaceName, error) => tell('problem', interfaceName, `${interfaceName}: ${error.message}`, {}),
    warn: (text) => out.say(`warning: ${text}`),
  })
  out.json({ schema: 'nexus-segment-started/1', nodeId: toHex(running.nodeId), pid: process.pid })
  out.say(`${toHex(running.nodeId)} looks for its segment; nexus-segment watch shows it.`)
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await running.stop()
  return EXIT.ok
}
