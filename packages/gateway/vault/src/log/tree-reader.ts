import { VaultError } from '../errors.ts'
import { STORED_LEVEL_STEP } from '../limits.ts'
import type { VaultStore } from '../store.ts'
import { entryLeaf } from './entry.ts'
import { foldPerfect, foldSubtrees, type Sha256, type Subtree, subtreesOf } from './tree.ts'

/** Hashes of any subtree, from the levels that are stored and the entries themselves. */
export class TreeReader {
  readonly #crypto: Sha256
  readonly #store: Pick<VaultStore, 'entries' | 'nodes'>

  constructor(crypto: Sha256, store: Pick<VaultStore, 'entries' | 'nodes'>) {
    this.#crypto = crypto
    this.#store = store
  }

  root(size: number): Promise<Uint8Array> {
    return this.fold(subtreesOf(0, size))
  }

  async fold(subtrees: readonly Subtree[]): Promise<Uint8Array> {
    return foldSubtrees(this.#crypto, await Promise.all(subtrees.map((subtree) => this.#hash(subtree))))
  }

  /** A subtree is folded from the stored level at or below its own: at most 128 hashes. */
  async #hash({ level, index }: Subtree): Promise<Uint8Array> {
    const stored = level - (level % STORED_LEVEL_STEP)
    const count = 2 ** (level - stored)
    const hashes = await this.#row(stored, index * count, count)
    if (hashes.length !== count) {
      throw new VaultError({ code: 'vault/corrupt', what: `level ${stored} ends before ${index * count + count}` })
    }
    return foldPerfect(this.#crypto, hashes)
  }

  async #row(level: number, from: number, count: number): Promise<readonly Uint8Array[]> {
    if (level > 0) return this.#store.nodes(level, from, count)
    const entries = await this.#store.entries(from, count)
    return entries.map((entry) => entryLeaf(this.#crypto, entry))
  }
}
