import type { Medium } from '../model/topology.ts'

const RADIO: ReadonlySet<Medium> = new Set(['lora', 'serial', 'reticulum'])

/** A sign for what a node speaks: radio, network, or both, drawn around the origin within 20 × 20. */
export function Glyph({ media }: { media: readonly Medium[] }) {
  const radio = media.some((medium) => RADIO.has(medium))
  const network = media.some((medium) => !RADIO.has(medium))
  if (radio && network)
    return <path d="M-9 3.5h6.5a3.5 3.5 0 0 0 3.5-3.5 3.5 3.5 0 0 1 3.5-3.5H9M5.5-7 9-3.5 5.5 0M-5.5 0-9 3.5-5.5 7" />
  if (radio) {
    return (
      <path d="M0-1v10M-3.5 9h7M-2.6 1.4a3.6 3.6 0 0 1 0-5M2.6 1.4a3.6 3.6 0 0 0 0-5M-5.6 4.2a7.6 7.6 0 0 1 0-10.6M5.6 4.2a7.6 7.6 0 0 0 0-10.6" />
    )
  }
  if (network)
    return <path d="M-8.5-2.5a12 12 0 0 1 17 0M-5.3 1.2a7.5 7.5 0 0 1 10.6 0M-2.2 4.8a3.1 3.1 0 0 1 4.4 0M0 7.6v.1" />
  return <path d="M0-7v7M4.9-4.9a7 7 0 1 1-9.8 0" />
}
