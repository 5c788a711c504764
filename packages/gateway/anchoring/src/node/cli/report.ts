import { toHex } from '@nexus/codec'
import type { ProofBundle } from '../../bundle.ts'
import type { Fault, Level } from '../../check.ts'
import type { ProofFault } from '../../evm/prove.ts'
import { provedBlock } from '../../evm/prove.ts'
import type { ReceiptFinding, Verification } from '../../verify.ts'

export interface ReportFacts {
  readonly bundle: ProofBundle
  readonly verification: Verification
  readonly wanted: Level
  readonly holds: boolean
  readonly keyTrusted: boolean
}

const FAULTS: Readonly<Record<Fault, string>> = {
  'other-key': 'the head is signed by another key than the one you trust',
  signature: "the head's signature does not hold",
  inclusion: 'the entry does not stand under this head',
}

const PROOF_FAULTS: Readonly<Record<ProofFault, string>> = {
  absent: 'the receipt carries no proof of storage',
  block: 'the proof is of another block than those you trust',
  header: "the block's header is none",
  account: "the proof does not lead to the contract's account",
  code: 'the account is not the contract that keeps heads',
  storage: 'the proof does not lead to the head',
  root: 'the contract held another root',
}

/** The result for people, a fact a line. */
export function printVerification({ bundle, verification, wanted, holds, keyTrusted }: ReportFacts): string {
  const { entry, head, publicKey } = bundle
  const lines = [
    `${holds ? 'HOLDS' : 'DOES NOT HOLD'}  level ${verification.level}, asked for ${wanted}`,
    `  entry ${entry.index}: amount ${entry.amount} = creator ${entry.creator} + pool ${entry.pool} + fee ${entry.fee}`,
    `  made ${isoOf(entry.timeMs)}, account ${toHex(entry.account)}`,
  ]
  if (verification.fault !== undefined) return `${[...lines, `  ✗ ${FAULTS[verification.fault]}`].join('\n')}\n`
  const trust = keyTrusted ? 'the key that you trust' : 'a key that nothing here vouches for; name yours with --key'
  lines.push(`  ✓ under a head of ${head.size} entries, ${isoOf(head.timeMs)}`)
  lines.push(`  ✓ signed by ${toHex(publicKey)}, ${trust}`)
  for (const finding of verification.findings) lines.push(...findingLines(finding))
  if (verification.findings.length === 0) lines.push('  · anchored on no chain yet')
  return `${lines.join('\n')}\n`
}

/** The result for programs: `nexus-verification/1`. */
export function verificationJson({ bundle, verification, wanted, holds, keyTrusted }: ReportFacts) {
  const { entry, head, publicKey } = bundle
  return {
    schema: 'nexus-verification/1',
    holds,
    level: verification.level,
    wanted,
    ...(verification.fault && { fault: verification.fault }),
    entry: { index: entry.index, amount: `${entry.amount}`, account: toHex(entry.account), timeMs: entry.timeMs },
    head: { logId: toHex(head.logId), size: head.size, root: toHex(head.root), timeMs: head.timeMs },
    key: { publicKey: toHex(publicKey), trusted: keyTrusted },
    chains: verification.findings.map(({ receipt, reading, proof }) => ({
      chain: receipt.chain,
      ...(reading && { reading }),
      ...(proof && {
        proof: proof.kind === 'holds' ? { ...proof, block: { ...proof.block, hash: toHex(proof.block.hash) } } : proof,
      }),
    })),
  }
}

function findingLines({ receipt, reading, proof }: ReceiptFinding): string[] {
  const lines: string[] = []
  const { chain } = receipt
  if (reading?.kind === 'holds')
    lines.push(`  ✓ ${chain} holds the head since ${isoOf(reading.timeMs)}, says its server`)
  if (reading?.kind === 'fails') lines.push(`  ✗ ${chain}: ${reading.what}`)
  if (reading?.kind === 'unanswered') lines.push(`  ? ${reading.what}`)
  if (proof?.kind === 'holds')
    lines.push(`  ✓ ${chain}: proved: it was there at block ${proof.block.number}, ${isoOf(proof.block.timeMs)}`)
  else if (proof !== undefined) lines.push(`  ✗ ${chain}: ${PROOF_FAULTS[proof.kind]}`)
  const block =
    receipt.kind === 'evm' && receipt.proof && proof?.kind !== 'holds' ? provedBlock(receipt.proof) : undefined
  if (block) lines.push(`  · ${chain}: its proof is of block ${block.number}, ${toHex(block.hash)}`)
  else if (lines.length === 0) lines.push(`  · ${chain}: not asked`)
  return lines
}

function isoOf(timeMs: number): string {
  const date = new Date(timeMs)
  return Number.isNaN(date.getTime()) ? `${timeMs} ms` : date.toISOString()
}
