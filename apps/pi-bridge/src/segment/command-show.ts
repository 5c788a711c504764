import type { SegmentReport } from '@nexus/node/api'
import { connectControl } from '@nexus/node/control'
import { pause, socketOf } from '../cli/connect.ts'
import { EXIT } from '../cli/exit-codes.ts'
import { CommandFailure } from '../cli/failure.ts'
import type { Context } from '../cli/frame.ts'
import { reports } from './control.ts'
import { segmentSocket } from './run.ts'
import { loadSegmentSettings } from './settings.ts'
import { reportText } from './status.ts'

const EVERY_MS = 1_000

/** `nexus-segment status`, `nexus-segment watch`: of `nexus-segment start`, or of a node that takes part. */
export async function showSegment(context: Context<unknown>, isWatching: boolean): Promise<number> {
  const { out } = context
  for await (const report of reportsOf(context)) {
    out.json(report)
    if (isWatching && process.stdout.isTTY && !out.isJson) process.stdout.write('\u001b[H\u001b[2J')
    out.print(reportText(report, out.colors))
    if (!isWatching) break
  }
  return EXIT.ok
}

/** With a socket named, of the node there; else of `nexus-segment start`, and of a node where none runs. */
async function* reportsOf({ global, signal }: Context<unknown>): AsyncGenerator<SegmentReport> {
  if (global.socket === undefined) {
    const { stateDir } = loadSegmentSettings(global.config, process.env)
    const path = segmentSocket(stateDir)
    try {
      return yield* reports(path, signal)
    } catch (error) {
      if (!(error instanceof CommandFailure) || error.facts.code !== 'no-node') throw error
      const ofNode = nodeReports(global, signal)
      const first = await ofNode.next().catch(() => undefined)
      // Neither answers: what was asked for first says so.
      if (first === undefined || first.done) throw error
      yield first.value
      return yield* ofNode
    }
  }
  yield* nodeReports(global, signal)
}

async function* nodeReports(global: Context<unknown>['global'], signal: AbortSignal): AsyncGenerator<SegmentReport> {
  const node = await connectControl(socketOf(global))
  try {
    while (!signal.aborted) {
      yield await node.call('segment', {})
      await pause(EVERY_MS, signal)
    }
  } finally {
    node.close()
  }
}
