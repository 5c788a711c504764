const CODE_BITS_MAX = 17

/** Lengths of Huffman codes for the weights, none over 17 bits: heavy weights are flattened until that holds. */
export function codeLengths(weights: Uint32Array): Uint8Array {
  for (let scaled: Uint32Array = weights; ; scaled = scaled.map((weight) => (weight >> 1) | 1)) {
    const lengths = huffmanLengths(scaled)
    if (lengths.every((length) => length <= CODE_BITS_MAX)) return lengths
  }
}

/** Two queues, leaves sorted and nodes in the order made, hold the lightest two at their heads (van Leeuwen, 1976). */
function huffmanLengths(weights: Uint32Array): Uint8Array {
  const leaves = [...weights.keys()].sort((a, b) => weights[a]! - weights[b]!)
  const count = weights.length
  const weight = new Float64Array(2 * count)
  weight.set(weights)
  const parent = new Int32Array(2 * count)
  let leaf = 0
  let node = count
  let made = count
  const lightest = () => {
    if (leaf < count && (node >= made || weight[leaves[leaf]!]! <= weight[node]!)) return leaves[leaf++]!
    return node++
  }
  while (made < 2 * count - 1) {
    const a = lightest()
    const b = lightest()
    weight[made] = weight[a]! + weight[b]!
    parent[a] = made
    parent[b] = made
    made++
  }
  const depth = new Uint8Array(2 * count)
  for (let at = made - 2; at >= 0; at--) depth[at] = Math.min(255, depth[parent[at]!]! + 1)
  return depth.slice(0, count)
}

/** Canonical codes: shorter ones first, equal lengths in the order of the symbols. */
export function codesOf(lengths: Uint8Array): Uint32Array {
  const codes = new Uint32Array(lengths.length)
  let code = 0
  for (let length = 1; length <= CODE_BITS_MAX; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++) if (lengths[symbol] === length) codes[symbol] = code++
    code <<= 1
  }
  return codes
}
