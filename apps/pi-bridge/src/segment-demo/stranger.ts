import type { Source } from '@nexus/anchor-truth'
import type { Plug, SimulatedLink } from './link.ts'

const EVERY_MS = 4_000
const FAR: Source = { address: Uint8Array.of(0xfe, 0x80, ...new Array(13).fill(0), 0xff), port: 19_541 }

/** Somebody without the passphrase who replays and forges: what it sends changes nothing, and is counted. */
export function plugInStranger(link: SimulatedLink): () => void {
  let heard: { readonly datagram: Uint8Array; readonly source: Source } | undefined
  const plug: Plug = { half: 0, receive: (datagram, source) => (heard = { datagram, source }) }
  const pull = link.plug(plug)
  let turn = 0
  const timer = setInterval(() => {
    if (heard === undefined) return
    const { datagram, source } = heard
    const forged = datagram.slice()
    // A later sequence, so that it is no replay, and no longer what was authenticated.
    const at = forged[0] === 1 ? 17 : 11
    forged[at] = (forged[at] as number) ^ 0x40
    const [bytes, from] = (
      [
        [datagram, source],
        [datagram, FAR],
        [forged, source],
        [forged.subarray(0, 40), FAR],
      ] as const
    )[turn++ % 4] as readonly [Uint8Array, Source]
    link.send(plug, bytes, from)
  }, EVERY_MS)
  return () => {
    clearInterval(timer)
    pull()
  }
}
