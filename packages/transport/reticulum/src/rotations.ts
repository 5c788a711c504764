/**
 * Sorts the rotations of `bytes` by prefix doubling with counting sorts (Manber and Myers, 1993): the start of each, in
 * order. Time grows as n log n for any input, so that no peer can choose one that takes long.
 */
export function sortRotations(bytes: Uint8Array): Uint32Array {
  const n = bytes.length
  let order: Uint32Array = new Uint32Array(n)
  let rank: Uint32Array = new Uint32Array(n)
  let spareOrder: Uint32Array = new Uint32Array(n)
  let spareRank: Uint32Array = new Uint32Array(n)
  const starts = new Uint32Array(Math.max(n, 256) + 1)
  for (const byte of bytes) starts[byte + 1]!++
  for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!
  const firsts = starts.slice()
  for (let at = 0; at < n; at++) {
    order[firsts[bytes[at]!]!++] = at
    rank[at] = starts[bytes[at]!]!
  }
  for (let half = 1; half < n; half *= 2) {
    // A rank is the place of its first rotation, so the next free place of each rank begins there.
    for (let at = 0; at < n; at++) starts[at] = at
    for (let at = 0; at < n; at++) {
      const second = order[at]!
      const first = second >= half ? second - half : second - half + n
      spareOrder[starts[rank[first]!]!++] = first
    }
    let distinct = true
    for (let at = 0; at < n; at++) {
      const now = spareOrder[at]!
      const before = at === 0 ? now : spareOrder[at - 1]!
      const same = at > 0 && rank[now] === rank[before] && rank[(now + half) % n] === rank[(before + half) % n]
      spareRank[now] = same ? spareRank[before]! : at
      if (same) distinct = false
    }
    ;[order, spareOrder] = [spareOrder, order]
    ;[rank, spareRank] = [spareRank, rank]
    if (distinct) break
  }
  return order
}
