import type { Duplex } from 'node:stream'
import { Pool, type PoolClient } from 'pg'

/** A pool whose questions end in time, whatever the network does, and whose close does too. */
export class VaultPool extends Pool {
  readonly #timeoutMs: number
  readonly #held = new Set<PoolClient>()

  constructor(url: string, connectionsMax: number, timeoutMs: number) {
    super({
      connectionString: url,
      max: connectionsMax,
      keepAlive: true,
      connectionTimeoutMillis: timeoutMs,
      // The server gives up first, so that what it says is heard; the client does where nothing is heard at all.
      statement_timeout: timeoutMs,
      query_timeout: timeoutMs + timeoutMs / 5,
      // A gateway that is cut off in the middle of a transaction must not hold the log's row for the others.
      idle_in_transaction_session_timeout: timeoutMs / 2,
    })
    this.#timeoutMs = timeoutMs
    // An idle connection that the server ends is replaced at the next query; without a listener it would end the process.
    this.on('error', () => {})
    this.on('connect', (client) => this.#held.add(client))
    this.on('remove', (client) => this.#held.delete(client))
  }

  /** Ends every connection: with a farewell where the server takes it in time, without one where it does not. */
  async close(): Promise<void> {
    await this.end()
    const late = setTimeout(() => {
      for (const client of this.#held) streamOf(client).destroy()
    }, this.#timeoutMs)
    while (this.#held.size > 0) await new Promise((resolve) => this.once('remove', resolve))
    clearTimeout(late)
  }
}

/** pg shows no other way to end a connection at once. */
function streamOf(client: PoolClient): Duplex {
  return (client as unknown as { connection: { stream: Duplex } }).connection.stream
}

/** @throws {RangeError} for a time that is no whole number of milliseconds above 0 */
export function openPool(
  url: string,
  options: { readonly connectionsMax?: number; readonly timeoutMs?: number },
): VaultPool {
  const timeoutMs = options.timeoutMs ?? 10_000
  if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 1) throw new RangeError(`a timeout of ${timeoutMs} ms`)
  return new VaultPool(url, options.connectionsMax ?? 10, timeoutMs)
}
