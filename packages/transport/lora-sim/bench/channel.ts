/** Receptions per second of the channel, by number of radios at one density: about two dozen in reach of each. */
import { cpus } from 'node:os'
import { BUILT_UP, LoraChannel } from '@nexus/transport-lora-sim'

let state = 1
const random = (length: number) =>
  Uint8Array.from({ length }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223
    return state >>> 24
  })
const unit = () => new DataView(random(4).buffer).getUint32(0) / 2 ** 32

const packet = new Uint8Array(100)
console.log(`${cpus()[0]?.model}, Node ${process.version}`)
for (const radios of [300, 3_000, 30_000]) {
  const channel = new LoraChannel({ random, propagation: BUILT_UP })
  const side = 100 * Math.sqrt(radios)
  const place = () => ({ xMeters: unit() * side, yMeters: unit() * side })
  const ids = Array.from({ length: radios }, () => channel.addRadio({ dutyCycle: 1, position: place() }))
  const listsMs = measure(() => ids.forEach((id) => void channel.audience(id)))
  let nowMs = 0
  const transmissions = 50_000
  const ms = measure(() => {
    for (let count = 0; count < transmissions; count++) {
      nowMs += (unit() * 20_000) / radios
      channel.advance(nowMs)
      channel.transmit(nowMs, ids[Math.floor(unit() * radios)]!, packet)
    }
    channel.advance(nowMs + 60_000)
  })
  const { delivered, lost } = channel.stats
  const receptions = delivered + Object.values(lost).reduce((sum, count) => sum + count, 0)
  console.log(
    `${radios} radios: ${Math.round(receptions / ms)} receptions/ms, ${((ms * 1_000) / transmissions).toFixed(1)} µs per ` +
      `transmission to ${(receptions / transmissions).toFixed(0)} radios; lists ${((listsMs * 1_000) / radios).toFixed(0)} µs per radio`,
  )
}

function measure(work: () => void): number {
  const startMs = performance.now()
  work()
  return performance.now() - startMs
}
