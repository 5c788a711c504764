import { type Child, startRole } from '../child.ts'
import { until } from '../until.ts'

/** Two of our nodes with one TCP connection between them, that know each other. */
export interface NodePair {
  readonly sender: Child
  readonly receiver: Child
  /** Of the receiver, in hex. */
  readonly nodeId: string
  stop(): Promise<void>
}

export async function startNodes(): Promise<NodePair> {
  const [receiver, sender] = [startRole('node'), startRole('node')]
  const { address, nodeId } = await receiver.ask('open')
  const { nodeId: senderId } = await sender.ask('open', { address })
  await sender.ask('route', { nodeId })
  await receiver.ask('route', { nodeId: senderId })
  return {
    sender,
    receiver,
    nodeId: String(nodeId),
    async stop() {
      await Promise.all([sender.stop(), receiver.stop()])
    },
  }
}

/** Waits until the receiver has all of it; the seconds are those between the first and the last of it. */
export async function received(receiver: Child, amount: number): Promise<{ seconds: number; cpuMicros: number }> {
  return until(
    `${amount} were received`,
    async () => {
      const { received: got, seconds, cpuMicros } = await receiver.ask('stat')
      return Number(got) >= amount ? { seconds: Number(seconds), cpuMicros: Number(cpuMicros) } : undefined
    },
    60_000,
  )
}
