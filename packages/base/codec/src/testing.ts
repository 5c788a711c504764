/** For tests: a raw mutator that any package can point at its decoders, and the files of conformance-vectors/ (docs/spec/conventions.md). */

export interface FuzzTarget {
  /** What is attacked. May throw only what `isTyped` accepts. */
  readonly decode: (bytes: Uint8Array) => unknown
  readonly isTyped: (error: unknown) => boolean
  /** Valid inputs to start from; a decoded one that is `encode`d again must give the same bytes. */
  readonly corpus: readonly Uint8Array[]
  readonly encode?: (value: never) => Uint8Array
  readonly cases: number
  readonly seed: number
}

export interface FuzzOutcome {
  readonly accepted: number
  readonly refused: number
}

/** An input on which a decoder broke its promise, in hexadecimal, so that it can become a vector. */
export class FuzzFinding extends Error {
  override readonly name = 'FuzzFinding'
  readonly inputHex: string
  constructor(why: string, input: Uint8Array, cause?: unknown) {
    const hex = Array.from(input, (byte) => byte.toString(16).padStart(2, '0')).join('')
    super(`${why}: ${hex}`, { cause })
    this.inputHex = hex
  }
}

/** How many inputs a fuzz test tries: `NEXUS_FUZZ` where set, else `usual`. */
export function fuzzCases(environment: Record<string, string | undefined>, usual = 20_000): number {
  const asked = Number(environment['NEXUS_FUZZ'] ?? usual)
  if (!Number.isSafeInteger(asked) || asked < 1) throw new RangeError('NEXUS_FUZZ is a number of cases')
  return asked
}

/**
 * Feeds `cases` inputs: random bytes, and corpus entries with flipped, set, cut, doubled, spliced and boundary bytes.
 * @throws {FuzzFinding} for an untyped error, or where an accepted input is not what its value encodes to
 */
export function fuzzDecoder(target: FuzzTarget): FuzzOutcome {
  const random = seededChoice(target.seed)
  let accepted = 0
  for (let n = 0; n < target.cases; n++) {
    const input = n < target.corpus.length ? target.corpus[n]!.slice() : mutatedInput(target.corpus, random)
    const given = input.slice()
    let value: unknown
    try {
      value = target.decode(input)
    } catch (error) {
      if (!target.isTyped(error)) throw new FuzzFinding('an untyped error', given, error)
      continue
    }
    accepted++
    if (target.encode === undefined) continue
    const again = target.encode(value as never)
    if (!same(again, given)) throw new FuzzFinding('accepted, but encoded otherwise', given)
  }
  return { accepted, refused: target.cases - accepted }
}

const BOUNDARIES = [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff]

/** What {@link fuzzDecoder} feeds, for tests of more than a decoder: random bytes, or an edited entry of the corpus. */
export function mutatedInput(corpus: readonly Uint8Array[], random: (below: number) => number): Uint8Array {
  if (corpus.length === 0 || random(8) === 0) return randomBytes(random(random(4) === 0 ? 600 : 64), random)
  let bytes: Uint8Array = corpus[random(corpus.length)]!.slice()
  for (let edits = 1 + random(4); edits > 0; edits--) bytes = edit(bytes, corpus, random)
  return bytes
}

function edit(bytes: Uint8Array, corpus: readonly Uint8Array[], random: (below: number) => number): Uint8Array {
  const at = random(bytes.length + 1)
  switch (random(7)) {
    case 0:
      if (at < bytes.length) bytes[at]! ^= 1 << random(8)
      return bytes
    case 1:
      if (at < bytes.length) bytes[at] = BOUNDARIES[random(BOUNDARIES.length)]!
      return bytes
    case 2:
      return bytes.slice(0, at)
    case 3:
      return join(bytes.subarray(0, at), randomBytes(1 + random(8), random), bytes.subarray(at))
    case 4:
      return join(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + random(8))))
    case 5:
      return join(bytes, bytes.subarray(at))
    default: {
      const other = corpus[random(corpus.length)]!
      return join(bytes.subarray(0, at), other.subarray(Math.min(other.length, at)))
    }
  }
}

function join(...parts: Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

function randomBytes(length: number, random: (below: number) => number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256))
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}

/** Whole numbers below the one given, the same for each seed: xorshift32, fast, for tests alone. */
export function seededChoice(seed: number): (below: number) => number {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** A case of a file of conformance-vectors/. */
export interface VectorCase<In, Out> {
  readonly id: string
  readonly in: In
  readonly out?: Out
  readonly error?: string
}

const VECTORS_SCHEMA = 'nexus-vectors/1'

/** The text of such a file: a line for each case. */
export function vectorsText(op: string, cases: readonly VectorCase<unknown, unknown>[]): string {
  const lines = cases.map((each) => `    ${JSON.stringify(each)}`)
  const head = `{\n  "schema": ${JSON.stringify(VECTORS_SCHEMA)},\n  "op": ${JSON.stringify(op)},\n  "cases": [\n`
  return `${head}${lines.join(',\n')}\n  ]\n}\n`
}

/** The cases in the text of such a file. @throws {TypeError} where it is of another schema or operation, or repeats an id */
export function vectorsOf<In, Out>(text: string, op: string): readonly VectorCase<In, Out>[] {
  const file = JSON.parse(text) as { schema: string; op: string; cases: VectorCase<In, Out>[] }
  if (file.schema !== VECTORS_SCHEMA || file.op !== op)
    throw new TypeError(`${file.schema} of ${file.op}, not of ${op}`)
  if (new Set(file.cases.map(({ id }) => id)).size !== file.cases.length) throw new TypeError(`${op} repeats an id`)
  return file.cases
}
