/** What a proof bundle proves, to which level, and on whose word (docs/spec/anchoring.md). */
import type { Crypto } from '@nexus/crypto'
import type { ProofBundle } from './bundle.ts'
import type { ChainReader, Reading } from './chain.ts'
import { bundleFault, type Fault, type Level, statementOf } from './check.ts'
import { AnchoringError } from './errors.ts'
import { type ProofFault, proofFault, provedBlock } from './evm/prove.ts'
import type { EvmReceipt, Receipt } from './receipt.ts'

/** What the reader of a bundle knows from elsewhere, and whom it asks. */
export interface VerifyOptions {
  /** The gateway's log key. Without it a bundle proves only that somebody's key signed. */
  readonly trustedKey?: Uint8Array
  /** Chains to read from. */
  readonly readers?: readonly ChainReader[]
  /** Hashes of blocks that the reader of the bundle trusts. */
  readonly trustedBlocks?: readonly Uint8Array[]
}

/** What was found of one receipt. */
export interface ReceiptFinding {
  readonly receipt: Receipt
  /** Absent where no reader speaks for its chain. */
  readonly reading?: Reading | { readonly kind: 'unanswered'; readonly what: string }
  /** Absent where no block is trusted. */
  readonly proof?: { readonly kind: 'holds'; readonly block: EvmReceipt['block'] } | { readonly kind: ProofFault }
}

export interface Verification {
  /** The highest level that holds; `none` where not even the signature does. */
  readonly level: Level | 'none'
  readonly fault?: Fault
  /** Whether a chain was read and says otherwise: then the bundle is not to be believed, whatever its level. */
  readonly contradicted: boolean
  readonly findings: readonly ReceiptFinding[]
}

/** Verifies a bundle as far as what is given reaches. What a chain does not answer is a finding, not an error. */
export async function verifyBundle(
  crypto: Pick<Crypto, 'sha256' | 'verify'>,
  bundle: ProofBundle,
  options: VerifyOptions = {},
): Promise<Verification> {
  const fault = bundleFault(crypto, bundle, options.trustedKey)
  if (fault !== undefined) return { level: 'none', fault, contradicted: false, findings: [] }
  const findings: ReceiptFinding[] = []
  for (const receipt of bundle.receipts) findings.push(await finding(bundle, receipt, options))
  return { level: levelOf(findings), contradicted: findings.some(contradicts), findings }
}

async function finding(bundle: ProofBundle, receipt: Receipt, options: VerifyOptions): Promise<ReceiptFinding> {
  const reader = options.readers?.find(({ chain }) => chain === receipt.chain)
  const reading = reader && (await readingOf(reader, receipt, bundle))
  const proof = await provedBy(bundle, receipt, reader, options.trustedBlocks ?? [])
  return { receipt, ...(reading && { reading }), ...(proof && { proof }) }
}

async function readingOf(reader: ChainReader, receipt: Receipt, bundle: ProofBundle) {
  return unanswering(reader.read(receipt, statementOf(bundle)))
}

/** The receipt's own proof first; then, where its chain is at hand, a new one against the trusted block. */
async function provedBy(
  bundle: ProofBundle,
  receipt: Receipt,
  reader: ChainReader | undefined,
  blocks: readonly Uint8Array[],
): Promise<ReceiptFinding['proof']> {
  if (receipt.kind !== 'evm') return undefined
  let worst: ReceiptFinding['proof']
  for (const block of blocks) {
    const statement = statementOf(bundle)
    const own = await proofFault(receipt, statement, block)
    if (own === undefined) return { kind: 'holds', block: provedBlock(receipt.proof!)! }
    if (own !== 'block' && own !== 'absent') return { kind: own }
    worst = { kind: own }
    const asked = reader && (await unanswering(reader.prove(receipt, statement, block)))
    if (asked?.kind !== 'evm') continue
    if ((await proofFault(asked, statement, block)) === undefined)
      return { kind: 'holds', block: provedBlock(asked.proof!)! }
  }
  return worst
}

async function unanswering<T>(answer: Promise<T>): Promise<T | { readonly kind: 'unanswered'; readonly what: string }> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof AnchoringError)) throw error
    return { kind: 'unanswered', what: error.message }
  }
}

function levelOf(findings: readonly ReceiptFinding[]): Level {
  if (findings.some(({ proof }) => proof?.kind === 'holds')) return 'proved'
  return findings.some(({ reading }) => reading?.kind === 'holds') ? 'read-from-chain' : 'gateway-signed'
}

function contradicts({ reading, proof }: ReceiptFinding): boolean {
  const wrongProof = proof !== undefined && !['holds', 'absent', 'block'].includes(proof.kind)
  return reading?.kind === 'fails' || wrongProof
}
