/** Why a text is not taken as JSON. */
export type JsonFault = 'utf-8' | 'syntax' | 'depth' | 'duplicate-key' | 'number'

/** A request body that is no JSON of this API. */
export class JsonError extends Error {
  override readonly name = 'JsonError'
  readonly fault: JsonFault
  /** Character at which it shows. */
  readonly at: number
  constructor(fault: JsonFault, at: number) {
    super(`${MESSAGES[fault]} (at character ${at})`)
    this.fault = fault
    this.at = at
  }
}

/** Arrays and objects inside one another. */
export const DEPTH_MAX = 8

const MESSAGES: Readonly<Record<JsonFault, string>> = {
  'utf-8': 'the body is not UTF-8',
  syntax: 'the body is not JSON',
  depth: `more than ${DEPTH_MAX} arrays and objects inside one another`,
  'duplicate-key': 'a name stands twice in one object',
  number: 'a number must be whole, without fraction or exponent, and at most 9007199254740991',
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const SPACE = /[ \t\n\r]*/y
/** A string without escapes or control characters. */
const PLAIN_STRING = /"[^"\\\p{Cc}]*"/uy
const ANY_STRING = /"(?:[^"\\]|\\.)*"/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const WHOLE = /^(?:0|-?[1-9][0-9]*)$/
const WORD = /true|false|null/y
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null }

/**
 * Reads JSON as money needs it: a name that stands twice in an object is refused, for readers differ in which one they
 * take, and so is a number that a float would round or that is not written as a whole one.
 * @throws {JsonError}
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = UTF8.decode(bytes)
  } catch {
    throw new JsonError('utf-8', 0)
  }
  const reader = new Reader(text)
  const value = reader.value(0)
  reader.end()
  return value
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): unknown {
    this.#match(SPACE)
    const first = this.#text[this.#at]
    if (first === '"') return this.#string()
    if (first === '{' || first === '[') {
      if (depth >= DEPTH_MAX) throw new JsonError('depth', this.#at)
      this.#at++
      return first === '{' ? this.#object(depth + 1) : this.#array(depth + 1)
    }
    const word = this.#match(WORD)
    return word === undefined ? this.#number() : WORDS[word]
  }

  end(): void {
    this.#match(SPACE)
    if (this.#at < this.#text.length) throw this.#syntax()
  }

  #object(depth: number): Record<string, unknown> {
    // Without a prototype, `__proto__` is a name like any other.
    const object: Record<string, unknown> = Object.create(null)
    if (this.#takes('}')) return object
    do {
      this.#match(SPACE)
      const nameAt = this.#at
      if (this.#text[nameAt] !== '"') throw this.#syntax()
      const name = this.#string()
      if (name in object) throw new JsonError('duplicate-key', nameAt)
      this.#expect(':')
      object[name] = this.value(depth)
    } while (this.#takes(','))
    this.#expect('}')
    return object
  }

  #array(depth: number): unknown[] {
    const array: unknown[] = []
    if (this.#takes(']')) return array
    do array.push(this.value(depth))
    while (this.#takes(','))
    this.#expect(']')
    return array
  }

  #string(): string {
    const plain = this.#match(PLAIN_STRING)
    if (plain !== undefined) return plain.slice(1, -1)
    const any = this.#match(ANY_STRING)
    if (any === undefined) throw this.#syntax()
    try {
      // Escapes, and that no control character stands by itself.
      return JSON.parse(any) as string
    } catch {
      throw this.#syntax()
    }
  }

  #number(): number {
    const at = this.#at
    const source = this.#match(NUMBER)
    if (source === undefined) throw this.#syntax()
    const value = Number(source)
    if (!WHOLE.test(source) || !Number.isSafeInteger(value)) throw new JsonError('number', at)
    return value
  }

  #takes(sign: string): boolean {
    this.#match(SPACE)
    if (this.#text[this.#at] !== sign) return false
    this.#at++
    return true
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) throw this.#syntax()
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    if (found !== undefined) this.#at += found.length
    return found
  }

  #syntax(): JsonError {
    return new JsonError('syntax', this.#at)
  }
}
