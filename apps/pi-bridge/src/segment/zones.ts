import { zoneHashOf } from '@nexus/anchor-truth'
import { toHex } from '@nexus/codec'
import { portable } from '@nexus/crypto'
import { ZONES } from './schema.ts'

/** What a zone's hash, in hex, stands for, where it is a known one or one's own. */
export function zoneNames(own: string): ReadonlyMap<string, string> {
  const crypto = portable()
  return new Map([...ZONES, own].map((zone) => [toHex(zoneHashOf(crypto, zone)), zone]))
}
