import { AllocationError } from './errors.ts'

/** How an amount is divided. A policy never changes once entries name it: a new ratio is a new version. */
export interface AllocationPolicy {
  /** Recorded with each entry. */
  readonly version: number
  readonly name: string
  /** Shares in hundredths; what they leave, and each remainder, is the creator's. */
  readonly feePercent: bigint
  readonly poolPercent: bigint
  /** The least amount: splitting into tiny ones would round the fee away. */
  readonly minimum: bigint
}

/** Version 1: 60 for the creator, 30 for the pool, 10 for the fee; from 100 smallest units on. */
export const POLICY_60_30_10: AllocationPolicy = Object.freeze({
  version: 1,
  name: '60-30-10',
  feePercent: 10n,
  poolPercent: 30n,
  minimum: 100n,
})

/** Every policy that entries may name, oldest first. */
export const POLICIES: readonly AllocationPolicy[] = Object.freeze([POLICY_60_30_10])

/** @throws {AllocationError} `allocation/policy` where there is none of this version */
export function policyOf(version: number): AllocationPolicy {
  const found = POLICIES.find((policy) => policy.version === version)
  if (found === undefined) throw new AllocationError({ code: 'allocation/policy', policy: version })
  return found
}
