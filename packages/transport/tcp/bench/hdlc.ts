// What framing costs: node --conditions=nexus-source packages/transport/tcp/bench/hdlc.ts
import { randomBytes } from 'node:crypto'
import { cpus } from 'node:os'
import { encodeHdlc, HdlcDecoder } from '../src/index.ts'

const FRAME_BYTES = 484
const FRAMES = 128
const RUNS = 9
const RUN_MS = 150

const frames = Array.from({ length: FRAMES }, () => new Uint8Array(randomBytes(FRAME_BYTES)))
const into = new Uint8Array(1 << 18)
const view = new DataView(into.buffer)
const escaped = new Uint8Array(FRAME_BYTES).fill(0x7e)
let heard = 0
const decoder = new HdlcDecoder({ frameBytesMax: 1_232, onFrame: (frame) => (heard += frame.length) })

function encodeAll(all: readonly Uint8Array[]): number {
  let at = 0
  for (const frame of all) at = encodeHdlc(frame, into, at, view)
  return at
}

const random = into.slice(0, encodeAll(frames))
const worst = into.slice(0, encodeAll(frames.map(() => escaped)))

console.log(`${cpus()[0]?.model}, Node ${process.version}, frames of ${FRAME_BYTES} bytes; median of ${RUNS} runs`)
report('encode, random bytes', () => encodeAll(frames))
report('decode, random bytes', () => decoder.push(random))
report('decode, every byte escaped', () => decoder.push(worst))
if (heard === 0) throw new Error('nothing was decoded')

function report(name: string, run: () => unknown): void {
  const costs = Array.from({ length: RUNS }, () => {
    const startMs = performance.now()
    let rounds = 0
    for (; performance.now() - startMs < RUN_MS; rounds++) run()
    return ((performance.now() - startMs) * 1e6) / (rounds * FRAMES)
  }).sort((a, b) => a - b)
  const ns = costs[RUNS >> 1] as number
  console.log(
    `${name.padEnd(28)} ${ns.toFixed(0).padStart(6)} ns/frame ${(1e9 / ns / 1e6).toFixed(2).padStart(6)} M frames/s`,
  )
}
