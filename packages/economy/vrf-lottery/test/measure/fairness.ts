/** Prints the tables of docs/results/lottery.md: what is paid beside what packets cost, and how often 1 000 packets win. */
import { Draw, FrameLog, packetCost, reward } from '@nexus/vrf-lottery'
import { crypto, Pair, relativeBound } from '../pair.ts'

const [COST, LENGTH_BYTES] = [410, 300]
const WINDOW_FRAMES = 16_384
const SEEDS = 2_000
const PACKETS = 1_000

/** Draws packets of a seed; how many won, and what these are paid. */
function draws(seed: string, odds: number, packets: number): { wins: number; paidMicro: bigint } {
  const { random } = new Pair({ seed })
  let [wins, paidMicro] = [0, 0n]
  for (let first = 0; first < packets; first += WINDOW_FRAMES) {
    const draw = new Draw(crypto, random(64), first, odds)
    const log = new FrameLog(WINDOW_FRAMES)
    for (let offset = 0; offset < Math.min(WINDOW_FRAMES, packets - first); offset++) {
      log.note(offset, random(8), LENGTH_BYTES, COST)
      if (!draw.wins(log, offset)) continue
      wins++
      paidMicro += reward(LENGTH_BYTES, odds, COST)
    }
  }
  return { wins, paidMicro }
}

console.log('| odds | draws | wins | paid / cost − 1 | 4·sqrt((1 − p) / (N·p)) |\n| --- | -: | -: | -: | -: |')
for (const odds of [10, 100, 1_000]) {
  const count = 1_000_000
  const { wins, paidMicro } = draws(`fair ${odds}`, odds, count)
  const error = Number(paidMicro) / (count * Number(packetCost(LENGTH_BYTES, COST))) - 1
  const row = [
    `1/${odds}`,
    count,
    wins,
    `${(100 * error).toFixed(3)} %`,
    `${(100 * relativeBound(odds, count)).toFixed(3)} %`,
  ]
  console.log(`| ${row.join(' | ')} |`)
}

console.log('\n| odds | seeds | wins, mean | least, most | within 2 σ | within 4 σ |\n| --- | -: | -: | -: | -: | -: |')
for (const odds of [10, 100]) {
  const [mean, sigma] = [PACKETS / odds, Math.sqrt((PACKETS / odds) * (1 - 1 / odds))]
  const wins = Array.from({ length: SEEDS }, (_, seed) => draws(`thousand ${seed}`, odds, PACKETS).wins)
  const within = (sigmas: number): number => wins.filter((each) => Math.abs(each - mean) <= sigmas * sigma).length
  const average = wins.reduce((sum, each) => sum + each, 0) / SEEDS
  const row = [
    `1/${odds}`,
    SEEDS,
    average.toFixed(2),
    `${Math.min(...wins)}, ${Math.max(...wins)}`,
    within(2),
    within(4),
  ]
  console.log(`| ${row.join(' | ')} |`)
}
