import { join } from 'node:path'
import { EXIT } from '../cli/exit-codes.ts'
import { CommandFailure } from '../cli/failure.ts'
import type { Context } from '../cli/frame.ts'

interface DemoFlags {
  readonly fresh?: true
  readonly state?: string
  readonly port: string
}

/** `nexus-node demo`: hands over to the demonstration. */
export async function runDemonstration({ flags, signal }: Context<DemoFlags>): Promise<number> {
  const port = Number(flags.port)
  if (!/^\d+$/.test(flags.port) || port > 65_535) {
    throw new CommandFailure({ exit: 'usage', code: 'usage', message: `no such port: ${flags.port}` })
  }
  const { runDemo } = await import('../demo/run.ts')
  await runDemo(
    {
      stateDir: flags.state ?? join('state', 'demo'),
      fresh: flags.fresh === true,
      port,
      say: (text) => console.log(text),
    },
    signal,
  )
  return EXIT.ok
}

/** What each process of the demonstration runs. */
export async function runDemonstrationNode(): Promise<number> {
  const { runDemoNode } = await import('../demo/child.ts')
  return runDemoNode()
}
