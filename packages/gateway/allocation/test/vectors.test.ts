import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { AllocationError, amountFromJson, parseAmount, policyOf, split } from '../src/index.ts'

interface VectorFile<In, Out> {
  readonly schema: string
  readonly op: string
  readonly cases: readonly { readonly id: string; readonly in: In; readonly out?: Out; readonly error?: string }[]
}

function read<In, Out>(op: string): VectorFile<In, Out>['cases'] {
  const url = new URL(`../../../../conformance-vectors/allocation/${op}.json`, import.meta.url)
  const file: VectorFile<In, Out> = JSON.parse(readFileSync(url, 'utf8'))
  expect([file.schema, file.op]).toEqual(['nexus-vectors/1', op])
  return file.cases
}

function outcome<T>(run: () => T): { readonly out?: T; readonly error?: string } {
  try {
    return { out: run() }
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error
    return { error: error.detail.code }
  }
}

test('allocation.split', () => {
  for (const { id, in: given, out, error } of read<
    { policy: number; amount: string },
    { creator: string; pool: string; fee: string }
  >('allocation.split')) {
    const got = outcome(() => {
      const { creator, pool, fee } = split(BigInt(given.amount), policyOf(given.policy))
      return { creator: `${creator}`, pool: `${pool}`, fee: `${fee}` }
    })
    expect(got, id).toEqual(error === undefined ? { out } : { error })
  }
})

test('allocation.amount', () => {
  for (const { id, in: given, out, error } of read<{ json: string }, { amount: string }>('allocation.amount')) {
    const got = outcome(() => {
      let source: string | undefined
      const value: unknown = JSON.parse(given.json, (key, parsed, context?: { source?: string }) => {
        if (key === '') source = context?.source
        return parsed
      })
      const amount = amountFromJson(value, source)
      expect(parseAmount(`${amount}`)).toBe(amount)
      return { amount: `${amount}` }
    })
    expect(got, id).toEqual(error === undefined ? { out } : { error })
  }
})
