import { readFileSync } from 'node:fs'
import { STATE_ANCHOR_ABI, STATE_ANCHOR_CODE_HASH } from '@nexus/anchoring/evm'
import fc from 'fast-check'
import { type Abi, encodeAbiParameters, getAbiItem, keccak256, parseEther, toFunctionSelector } from 'viem'
import { describe, expect, test } from 'vitest'
import { compileSolidity, generate } from '../contracts/compile.ts'
import { type Contract, Machine, type Outcome } from './rig/evm-machine.ts'

const compiled = compileSolidity()
const RUNS = Number(process.env['NEXUS_FUZZ'] ?? 3_000)
const STEPS_MAX = 40
const SEQUENCES = Math.ceil(RUNS / STEPS_MAX)
const USERS = [1, 2, 3].map((n) => `0x${`0${n}`.repeat(20)}`)
const [OWNER, HEIR, STRANGER] = USERS as [string, string, string]
const DAY = 86_400

async function deploy(name: keyof typeof compiled, args: readonly unknown[] = []) {
  const machine = await Machine.create()
  for (const user of USERS) await machine.fund(user, parseEther('1000'))
  const { abi, creation } = compiled[name]
  return { machine, contract: await machine.deploy({ abi: abi as Abi, bytecode: creation, args }, OWNER) }
}

describe('what is compiled', () => {
  test('is what is committed', async () => {
    expect(await generate()).toBe(readFileSync(new URL('../src/generated/contracts.ts', import.meta.url), 'utf8'))
  })

  test('has the functions, the code and the slots that the package relies on', () => {
    const { abi, runtime, storage } = compiled.StateAnchor
    const namesOf = (items: readonly unknown[]) =>
      items.map((item) => `${(item as { type: string }).type} ${(item as { name: string }).name}`)
    expect(namesOf(STATE_ANCHOR_ABI).sort()).toEqual(namesOf(abi).sort())
    for (const name of ['anchor', 'sizeOf', 'rootOf'] as const) {
      const ours = getAbiItem({ abi: STATE_ANCHOR_ABI, name })
      const theirs = getAbiItem({ abi: abi as Abi, name })
      expect(toFunctionSelector(ours)).toBe(toFunctionSelector(theirs as typeof ours))
    }
    expect(keccak256(runtime)).toBe(STATE_ANCHOR_CODE_HASH)
    expect(storage.map(({ label, slot }) => `${slot} ${label}`)).toEqual(['0 sizeOf', '1 rootOf'])
  })
})

test('StateAnchor keeps what a plain map would: sizes of a log only grow, and nobody writes under another address', async () => {
  const command = fc.record({
    user: fc.constantFrom(...USERS),
    log: fc.constantFrom(...[1, 2].map((n) => `0x${`0${n}`.repeat(16)}`)),
    size: fc.oneof(fc.bigInt(0n, 6n), fc.constantFrom(2n ** 64n - 1n, 2n ** 63n)),
    root: fc.bigInt(0n, 3n).map((value) => encodeAbiParameters([{ type: 'uint256' }], [value])),
  })
  const sequence = fc.asyncProperty(fc.array(command, { maxLength: STEPS_MAX }), async (commands) => {
    const { contract } = await deploy('StateAnchor')
    const sizes = new Map<string, bigint>()
    const roots = new Map<string, string>()
    for (const { user, log, size, root } of commands) {
      const before = sizes.get(user + log) ?? 0n
      const outcome = await contract.call(user, 'anchor', [log, size, root])
      if (size <= before) expect(outcome).toEqual({ ok: false, error: 'NotGrown' })
      else if (BigInt(root) === 0n) expect(outcome).toEqual({ ok: false, error: 'NoRoot' })
      else {
        expect(outcome.ok).toBe(true)
        sizes.set(user + log, size)
        roots.set(user + log + size, root)
      }
      expect(await result(contract, 'sizeOf', user, log)).toBe(sizes.get(user + log) ?? 0n)
      const held = await result(contract, 'rootOf', user, log, size)
      expect(held).toBe(roots.get(user + log + size) ?? `0x${'00'.repeat(32)}`)
    }
  })
  await fc.assert(sequence, { numRuns: SEQUENCES })
})

test('UserRegistry: 100 credits once, purchases at their exact price, and its balance is what was paid', async () => {
  const price = parseEther('0.001')
  const command = fc.oneof(
    fc.record({
      kind: fc.constant('register' as const),
      user: fc.constantFrom(...USERS),
      did: fc.string({ maxLength: 300 }),
    }),
    fc.record({
      kind: fc.constant('buy' as const),
      user: fc.constantFrom(...USERS),
      count: fc.oneof(fc.bigInt(0n, 5n), fc.constantFrom(1_000_000n, 1_000_001n, 2n ** 64n - 1n)),
      more: fc.constantFrom(0n, 0n, 0n, 1n, -1n),
    }),
  )
  const sequence = fc.asyncProperty(fc.array(command, { maxLength: STEPS_MAX }), async (commands) => {
    const { machine, contract } = await deploy('UserRegistry', [OWNER])
    const credits = new Map<string, bigint>()
    let paid = 0n
    for (const step of commands) {
      const { user } = step
      const held = credits.get(user)
      if (step.kind === 'register') {
        const bytes = new TextEncoder().encode(step.did).length
        const error = held !== undefined ? 'AlreadyRegistered' : bytes < 1 || bytes > 255 ? 'WrongDid' : undefined
        check(await contract.call(user, 'register', [step.did]), error)
        if (error === undefined) credits.set(user, 100n)
      } else {
        const value = step.count * price + step.more
        if (value < 0n || value > parseEther('900')) continue
        const wrongCount = step.count < 1n || step.count > 1_000_000n
        const error =
          held === undefined
            ? 'NotRegistered'
            : wrongCount
              ? 'WrongCount'
              : step.more !== 0n
                ? 'WrongAmount'
                : undefined
        check(await contract.call(user, 'buyCredits', [step.count], value), error)
        if (error === undefined) {
          credits.set(user, held! + step.count)
          paid += value
        }
      }
      expect(await result(contract, 'users', user)).toEqual([credits.has(user), credits.get(user) ?? 0n])
    }
    expect(await machine.balance(contract.address)).toBe(paid)
  })
  await fc.assert(sequence, { numRuns: SEQUENCES })
})

test('PaymentProcessor: exact prices, a running subscription is extended, and no change of tiers buys time below its price', async () => {
  const prices = [0n, parseEther('0.01'), parseEther('0.1')]
  const command = fc.record({
    user: fc.constantFrom(...USERS),
    tier: fc.constantFrom(0, 1, 1, 1, 2, 2, 2, 3, 255),
    more: fc.constantFrom(0n, 0n, 0n, 0n, 1n, -1n),
    waitSeconds: fc.constantFrom(0, 1, DAY, 29 * DAY, 30 * DAY, 31 * DAY),
  })
  const sequence = fc.asyncProperty(fc.array(command, { maxLength: STEPS_MAX }), async (commands) => {
    const { machine, contract } = await deploy('PaymentProcessor', [OWNER])
    const held = new Map<string, { tier: number; expiry: number }>()
    let paid = 0n
    for (const { user, tier, more, waitSeconds } of commands) {
      machine.nowSeconds += waitSeconds
      const price = prices[tier]
      const value = (price ?? 1n) + more
      if (value < 0n) continue
      const error = price === undefined || tier === 0 ? 'WrongTier' : more !== 0n ? 'WrongAmount' : undefined
      check(await contract.call(user, 'subscribe', [tier], value), error)
      if (error === undefined) {
        const before = held.get(user)
        const left = Math.max(0, (before?.expiry ?? 0) - machine.nowSeconds)
        const worth =
          before === undefined || before.tier === tier ? left : before.tier === 1 ? Math.floor(left / 10) : left * 10
        held.set(user, { tier, expiry: machine.nowSeconds + worth + 30 * DAY })
        paid += value
      }
      const { tier: now, expiry } = held.get(user) ?? { tier: 0, expiry: 0 }
      expect(await result(contract, 'subscriptions', user)).toEqual([now, BigInt(expiry)])
    }
    expect(await machine.balance(contract.address)).toBe(paid)
  })
  await fc.assert(sequence, { numRuns: SEQUENCES })
})

test('the owner changes in two steps, fetches all that was paid, and cannot go without an heir', async () => {
  const { machine, contract } = await deploy('PaymentProcessor', [OWNER])
  check(await contract.call(STRANGER, 'subscribe', [2], parseEther('0.1')))
  check(await contract.call(STRANGER, 'withdraw'), 'OwnableUnauthorizedAccount')
  check(await contract.call(STRANGER, 'transferOwnership', [STRANGER]), 'OwnableUnauthorizedAccount')
  check(await contract.call(OWNER, 'transferOwnership', [HEIR]))
  expect(await result(contract, 'owner')).toBe(OWNER)
  check(await contract.call(STRANGER, 'acceptOwnership'), 'OwnableUnauthorizedAccount')
  check(await contract.call(HEIR, 'acceptOwnership'))
  check(await contract.call(OWNER, 'withdraw'), 'OwnableUnauthorizedAccount')
  check(await contract.call(HEIR, 'renounceOwnership'), 'OwnerNeeded')
  const before = await machine.balance(HEIR)
  check(await contract.call(HEIR, 'withdraw'))
  expect(await machine.balance(HEIR)).toBe(before + parseEther('0.1'))
  expect(await machine.balance(contract.address)).toBe(0n)
})

async function result(contract: Contract, name: string, ...args: readonly unknown[]): Promise<unknown> {
  const outcome = await contract.call(STRANGER, name, args)
  if (!outcome.ok) throw new Error(outcome.error)
  return outcome.result
}

function check(outcome: Outcome, error?: string): void {
  expect(outcome).toMatchObject(error === undefined ? { ok: true } : { ok: false, error })
}
