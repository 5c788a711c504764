import { fromHex, toHex } from '@nexus/codec'
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { formatGwei, parseGwei } from 'viem'
import { CONTRACT_NAMES, type ContractName, type DeployRefusal, planDeployment, TEST_CHAINS } from '../deploy.ts'
import { type Output, STREAMS } from './output.ts'

/** What the exit code says. */
export const DEPLOY_EXIT = { ok: 0, refused: 1, usage: 2 } as const

const TIP = parseGwei('1')

const REFUSALS: Readonly<Record<DeployRefusal, string>> = {
  audit: 'this is no test chain: name with --audit where the audit of this code is to be read',
  owner: 'UserRegistry and PaymentProcessor need --owner, and StateAnchor has none',
}

const HELP = `
Prints the transaction unsigned, and sends nothing: sign it with a hardware wallet, and send what that
gives with any wallet. Nonce and fees are those of the account that will sign.

Chains that need no audit:
${[...TEST_CHAINS].map(([id, name]) => `  ${`${id}`.padEnd(10)}${name}`).join('\n')}

Exit codes:
  0  printed
  1  refused: a main net without an audit, an owner missing or too many
  2  the command line was wrong`

interface Flags {
  readonly chain: number
  readonly owner?: Uint8Array
  readonly audit?: string
  readonly nonce: number
  readonly gas: number
  readonly maxFee: bigint
  readonly tip: bigint
  readonly json?: boolean
}

/** Runs `nexus-deploy`; resolves to its exit code. */
export async function runDeploy(args: readonly string[], output: Output = STREAMS): Promise<number> {
  let exit: number = DEPLOY_EXIT.ok
  const program = deployCommand(output, (contract, flags) => {
    exit = deploy(contract, flags, output)
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return exit
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? DEPLOY_EXIT.ok : DEPLOY_EXIT.usage
    throw error
  }
}

function deployCommand(output: Output, act: (contract: ContractName, flags: Flags) => void): Command {
  return new Command('nexus-deploy')
    .description('Makes the transaction that deploys a contract, for a hardware wallet to sign.')
    .addArgument(new Argument('<contract>', 'what to deploy').choices(CONTRACT_NAMES))
    .requiredOption('--chain <id>', 'chain id', count)
    .requiredOption('--nonce <n>', 'transactions that the signing account has sent', count)
    .requiredOption('--max-fee <gwei>', 'the most that a unit of gas may cost', gwei)
    .addOption(new Option('--tip <gwei>', 'what of it goes to the block producer').argParser(gwei).default(TIP, '1'))
    .option('--gas <units>', 'gas that it may use', count, 1_500_000)
    .option('--owner <address>', 'who may fetch the payments', address)
    .option('--audit <reference>', 'where the audit of this code is to be read; needed on main nets')
    .option('--json', 'print one JSON value')
    .addHelpText('after', HELP)
    .configureOutput({ writeOut: output.out, writeErr: output.err })
    .exitOverride()
    .action(act)
}

function deploy(contract: ContractName, flags: Flags, output: Output): number {
  const { chain: chainId, nonce, gas, maxFee: maxFeePerGas, tip: maxPriorityFeePerGas, owner, audit } = flags
  const fees = { gas: BigInt(gas), maxFeePerGas, maxPriorityFeePerGas }
  const plan = planDeployment({ contract, chainId, nonce, ...fees, ...(owner && { owner }), ...(audit && { audit }) })
  if ('refused' in plan) {
    output.err(`${REFUSALS[plan.refused]}\n`)
    return DEPLOY_EXIT.refused
  }
  const unsigned = `0x${toHex(plan.unsigned)}`
  if (flags.json === true) {
    const facts = { contract, chainId, nonce, gas, maxFeePerGas: `${maxFeePerGas}`, tip: `${maxPriorityFeePerGas}` }
    const named = { ...(owner && { owner: `0x${toHex(owner)}` }), ...(audit && { audit }) }
    output.out(`${JSON.stringify({ schema: 'nexus-deployment/1', ...facts, ...named, unsigned })}\n`)
    return DEPLOY_EXIT.ok
  }
  const most = formatGwei(BigInt(gas) * maxFeePerGas)
  output.err(`${contract} on chain ${chainId}, nonce ${nonce}, at most ${most} gwei in all\n`)
  output.out(`${unsigned}\n`)
  return DEPLOY_EXIT.ok
}

function count(text: string): number {
  const value = Number(text)
  if (!/^[0-9]{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return value
}

function gwei(text: string): bigint {
  if (!/^[0-9]{1,9}(\.[0-9]{1,9})?$/.test(text)) throw new InvalidArgumentError('It must be a number of gwei.')
  return parseGwei(text)
}

function address(text: string): Uint8Array {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) throw new InvalidArgumentError('It must be an address.')
  return fromHex(text.slice(2))
}
