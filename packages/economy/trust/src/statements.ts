import { toHex } from '@nexus/codec'
import type { Crypto, VerifyJob } from '@nexus/crypto'
import type { RecordHandler } from '@nexus/gossip'
import { nodeIdOf } from '@nexus/identity'
import { TrustError } from './errors.ts'
import { STATEMENTS_MAX, STATEMENTS_PER_TRUSTER_MAX, TRUST_RECORD, TRUST_SIGNED_BYTES } from './limits.ts'
import { decodeTrust, type TrustStatement, trustVerifyJob } from './statement.ts'

/** Checks signatures, now or later. */
export type VerifyPort = (jobs: readonly VerifyJob[], answer: (verdicts: readonly boolean[]) => void) => void

export interface TrustStatementsOptions {
  readonly crypto: Crypto
  /** 16 bytes. */
  readonly networkId: Uint8Array
  /** Whose statements count here: the peers that this node trusts itself. */
  follows(nodeId: Uint8Array): boolean
}

/**
 * What the peers that a node follows say of others: the statement with the highest sequence counts, so that trust can be
 * taken back at once, in whatever order statements come.
 */
export class TrustStatements {
  readonly #options: TrustStatementsOptions
  /** By truster, then trustee, NodeIDs in hexadecimal. */
  readonly #byTruster = new Map<string, Map<string, TrustStatement>>()

  constructor(options: TrustStatementsOptions) {
    this.#options = options
  }

  /** Whether `truster` trusts `trustee`, as far as is known here. */
  trusts(truster: Uint8Array, trustee: Uint8Array): boolean {
    return this.#byTruster.get(toHex(truster))?.get(toHex(trustee))?.trusted === true
  }

  /** NodeIDs, in hexadecimal, of those followed who trust `trustee`. */
  *vouchersOf(trustee: Uint8Array): Iterable<string> {
    const name = toHex(trustee)
    for (const [truster, statements] of this.#byTruster) {
      if (statements.get(name)?.trusted === true) yield truster
    }
  }

  /** Takes a statement whose signature was checked. False: not followed, older than what is known, or one too many. */
  add(statement: TrustStatement): boolean {
    const truster = nodeIdOf(this.#options.crypto, statement.truster)
    if (!this.#options.follows(truster)) return false
    const trusterName = toHex(truster)
    const statements = this.#byTruster.get(trusterName) ?? new Map<string, TrustStatement>()
    const trustee = toHex(statement.trustee)
    const known = statements.get(trustee)
    if (known !== undefined && known.sequence >= statement.sequence) return false
    if (known === undefined && statements.size >= STATEMENTS_PER_TRUSTER_MAX) return false
    statements.set(trustee, statement)
    this.#byTruster.set(trusterName, statements)
    return true
  }

  /** Forgets what a node said that is followed no longer. */
  forget(truster: Uint8Array): void {
    this.#byTruster.delete(toHex(truster))
  }

  /** What gossip registers for trust statements, in tier 4. */
  handler(verify: VerifyPort, accepted: (statement: TrustStatement) => void): RecordHandler {
    const { networkId } = this.#options
    return {
      type: TRUST_RECORD,
      tier: 4,
      recordsMax: STATEMENTS_MAX,
      namedPart: (body) => body.subarray(0, TRUST_SIGNED_BYTES),
      validate: (record, answer) => {
        const job = jobOf(networkId, record.body)
        if (job === undefined) answer('invalid')
        else verify([job], (verdicts) => answer(verdicts[0] === true ? 'valid' : 'invalid'))
      },
      accepted: (record) => {
        const statement = decodeTrust(record.body)
        if (this.add(statement)) accepted(statement)
      },
    }
  }
}

function jobOf(networkId: Uint8Array, body: Uint8Array): VerifyJob | undefined {
  try {
    return trustVerifyJob(networkId, decodeTrust(body))
  } catch (error) {
    if (!(error instanceof TrustError)) throw error
    return undefined
  }
}
