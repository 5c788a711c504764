import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import manifest from '@foundry-rs/anvil-linux-amd64/package.json' with { type: 'json' }
import { stateAnchorCode } from '@nexus/anchoring/evm'
import { toHex } from '@nexus/codec'
import { http, type Transport } from 'viem'

const BINARY = fileURLToPath(
  new URL(manifest.bin.anvil, import.meta.resolve('@foundry-rs/anvil-linux-amd64/package.json')),
)

/** Whether anvil runs on this machine: its package has a program for Linux on x64 alone. */
export const hasAnvil: boolean = process.platform === 'linux' && process.arch === 'x64'

/** A real chain of one node on loopback, which mines when told to, and a StateAnchor on it. */
export class Anvil {
  readonly chainId: number
  readonly port: number
  #process: ChildProcess | undefined
  readonly #state: string
  contract: Uint8Array = new Uint8Array(20)

  private constructor(chainId: number, port: number, state: string) {
    this.chainId = chainId
    this.port = port
    this.#state = state
  }

  /** @param state file that keeps the chain while the node is down */
  static async start(chainId: number, state: string): Promise<Anvil> {
    const anvil = new Anvil(chainId, await freePort(), state)
    await anvil.up()
    return anvil
  }

  get transport(): Transport {
    return http(`http://127.0.0.1:${this.port}`, { timeout: 5_000, retryCount: 0 })
  }

  async up(): Promise<void> {
    const args = ['--port', this.port, '--chain-id', this.chainId, '--no-mining', '--state', this.#state, '--silent']
    const child = spawn(BINARY, args.map(String), { stdio: 'ignore' })
    this.#process = child
    for (let tries = 0; tries < 200; tries++) {
      if (child.exitCode !== null) throw new Error(`anvil ended with ${child.exitCode}`)
      if (await this.rpc('eth_chainId').then(Boolean, () => false)) return
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    throw new Error('anvil did not answer')
  }

  /** Ends the node; its chain stays on disk. */
  async down(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
    this.#process = undefined
  }

  async rpc<T = unknown>(method: string, ...params: readonly unknown[]): Promise<T> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`http://127.0.0.1:${this.port}`, { method: 'POST', headers, body })
    const answer = (await response.json()) as { result: T; error?: { message: string } }
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`)
    return answer.result
  }

  async mine(blocks = 1): Promise<void> {
    await this.rpc('anvil_mine', `0x${blocks.toString(16)}`)
  }

  async fund(address: Uint8Array, wei: bigint): Promise<void> {
    await this.rpc('anvil_setBalance', `0x${toHex(address)}`, `0x${wei.toString(16)}`)
  }

  /** Deploys a StateAnchor from one of the node's own accounts. */
  async deploy(): Promise<Uint8Array> {
    const [from] = await this.rpc<string[]>('eth_accounts')
    const hash = await this.rpc<string>('eth_sendTransaction', { from, data: stateAnchorCode.creation })
    await this.mine()
    const receipt = await this.rpc<{ contractAddress: string }>('eth_getTransactionReceipt', hash)
    this.contract = new Uint8Array(Buffer.from(receipt.contractAddress.slice(2), 'hex'))
    return this.contract
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  return port
}
