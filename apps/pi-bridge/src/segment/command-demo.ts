import { EXIT } from '../cli/exit-codes.ts'
import type { Context } from '../cli/frame.ts'
import { runSegmentDemo } from '../segment-demo/run.ts'

/** `nexus-segment demo` */
export async function showDemo({ flags, signal }: Context<{ port: number; host: string }>): Promise<number> {
  const { port, host } = flags
  await runSegmentDemo({ port, host, say: (text) => console.log(text) }, signal)
  return EXIT.ok
}
