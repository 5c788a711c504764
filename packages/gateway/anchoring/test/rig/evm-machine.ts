import { Common, Hardfork, Mainnet } from '@ethereumjs/common'
import { createEVM, type EVM } from '@ethereumjs/evm'
import { Account, type Address, bytesToHex, createAddressFromString, hexToBytes } from '@ethereumjs/util'
import { type Abi, decodeErrorResult, decodeFunctionResult, encodeDeployData, encodeFunctionData } from 'viem'

export type Outcome = { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: string }

/** A machine in this process, at the instruction set that the contracts are compiled for. */
export class Machine {
  nowSeconds = 1_800_000_000
  readonly #evm: EVM

  private constructor(evm: EVM) {
    this.#evm = evm
  }

  static async create(): Promise<Machine> {
    return new Machine(await createEVM({ common: new Common({ chain: Mainnet, hardfork: Hardfork.Paris }) }))
  }

  async fund(address: string, wei: bigint): Promise<void> {
    await this.#evm.stateManager.putAccount(addressOf(address), new Account(0n, wei))
  }

  async balance(address: string): Promise<bigint> {
    return (await this.#evm.stateManager.getAccount(addressOf(address)))?.balance ?? 0n
  }

  async deploy(
    code: { abi: Abi; bytecode: `0x${string}`; args: readonly unknown[] },
    caller: string,
  ): Promise<Contract> {
    const { abi, bytecode, args } = code
    const data = hexToBytes(encodeDeployData({ abi, bytecode, args }))
    const { createdAddress, execResult } = await this.#run({ caller: addressOf(caller), data })
    if (createdAddress === undefined || execResult.exceptionError) throw new Error(execResult.exceptionError?.error)
    return new Contract(this, abi, createdAddress)
  }

  async call(
    abi: Abi,
    to: Address,
    caller: string,
    name: string,
    args: readonly unknown[],
    value = 0n,
  ): Promise<Outcome> {
    const data = hexToBytes(encodeFunctionData({ abi, functionName: name, args }))
    const { execResult } = await this.#run({ caller: addressOf(caller), to, data, value })
    const returned = bytesToHex(execResult.returnValue)
    if (execResult.exceptionError === undefined) {
      return {
        ok: true,
        result: returned === '0x' ? undefined : decodeFunctionResult({ abi, functionName: name, data: returned }),
      }
    }
    if (returned === '0x') return { ok: false, error: execResult.exceptionError.error }
    return { ok: false, error: decodeErrorResult({ abi, data: returned }).errorName }
  }

  #run(call: { caller: Address; to?: Address; data: Uint8Array; value?: bigint }) {
    const header = {
      number: 1n,
      timestamp: BigInt(this.nowSeconds),
      gasLimit: 30_000_000n,
      coinbase: addressOf(`0x${'00'.repeat(20)}`),
      difficulty: 0n,
      prevRandao: new Uint8Array(32),
      cliqueSigner: () => addressOf(`0x${'00'.repeat(20)}`),
      getBlobGasPrice: () => 1n,
    }
    return this.#evm.runCall({ ...call, gasLimit: 5_000_000n, block: { header } as never })
  }
}

export class Contract {
  readonly #machine: Machine
  readonly #abi: Abi
  readonly #address: Address

  constructor(machine: Machine, abi: Abi, address: Address) {
    this.#machine = machine
    this.#abi = abi
    this.#address = address
  }

  get address(): string {
    return this.#address.toString()
  }

  call(caller: string, name: string, args: readonly unknown[] = [], value = 0n): Promise<Outcome> {
    return this.#machine.call(this.#abi, this.#address, caller, name, args, value)
  }
}

function addressOf(text: string): Address {
  return createAddressFromString(text)
}
