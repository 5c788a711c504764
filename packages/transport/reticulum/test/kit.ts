import { readFileSync } from 'node:fs'
import { fromHex, toHex } from '@nexus/codec'
import { portable, type Random } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { type ReticulumCrypto, reticulumCrypto } from '../src/crypto.ts'
import { Float64 } from '../src/msgpack.ts'
import { nodeAes } from '../src/node/aes.ts'

/** Both sets of primitives; they must agree on everything. */
export const cryptos: readonly ReticulumCrypto[] = [
  reticulumCrypto(portable()),
  reticulumCrypto(await nodeCrypto(), nodeAes),
]

// biome-ignore lint/suspicious/noExplicitAny: vectors are data of many shapes, checked by what the tests make of them
export type Case = any

/** A file of the vectors made by Reticulum itself. */
export function vectors(name: string): Case {
  return JSON.parse(
    readFileSync(new URL(`../../../../conformance-vectors/reticulum/${name}.json`, import.meta.url), 'utf8'),
  )
}

export const hex: (text: string) => Uint8Array = fromHex

/** Hexadecimal, or null where there is nothing. */
export function hexOrNull(bytes: Uint8Array | undefined): string | null {
  return bytes === undefined ? null : toHex(bytes)
}

/** Gives the listed bytes, in order, each asked for in its own length. */
export function scripted(...parts: readonly string[]): Random {
  const rest = parts.map(fromHex)
  return (length) => {
    const next = rest.shift()
    if (next?.length !== length) throw new Error(`${length} random bytes asked for, ${next?.length} at hand`)
    return next
  }
}

/** The value that a vector's typed form stands for. */
export function typed(value: Case): Case {
  if ('nil' in value) return null
  if ('bool' in value) return value.bool
  if ('int' in value) {
    const integer = BigInt(value.int)
    return BigInt.asIntN(53, integer) === integer ? Number(integer) : integer
  }
  if ('float' in value) return new Float64(value.float)
  if ('str' in value) return value.str
  if ('bin' in value) return fromHex(value.bin)
  if ('array' in value) return value.array.map(typed)
  return new Map(value.map.map(([key, item]: [Case, Case]) => [typed(key), typed(item)]))
}

/** The same, as decoding gives it: floats are numbers. */
export function plain(value: Case): Case {
  const made = typed(value)
  const strip = (item: Case): Case => {
    if (item instanceof Float64) return item.value
    if (Array.isArray(item)) return item.map(strip)
    if (item instanceof Map) return new Map([...item].map(([key, of]) => [strip(key), strip(of)]))
    return item
  }
  return strip(made)
}
