import { ByteReader, ByteWriter } from '@nexus/codec'
import { ReservedCounter } from '@nexus/identity'
import type { Store } from './store.ts'

/** A counter whose claim is in the store under `key`, as u64. */
export function storedCounter(store: Store, key: string): ReservedCounter {
  const stored = store.get(key)
  const reservedUpTo = stored === undefined ? 0n : new ByteReader(stored).u64()
  return new ReservedCounter(reservedUpTo, (upTo) => store.put(key, new ByteWriter(8).u64(upTo).finish()))
}
