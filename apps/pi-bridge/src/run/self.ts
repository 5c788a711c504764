import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { basename } from 'node:path'

/**
 * Runs a hidden command of `nexus-node` in a process of its own, by the very program that runs now: `nexus-node`, or `nexus`
 * with `node` before it.
 */
export function forkSelf(command: string, options: ForkOptions): ChildProcess {
  const program = process.argv[1]!
  const isUmbrella = /^nexus(\.[jt]s)?$/.test(basename(program))
  return fork(program, [...(isUmbrella ? ['node'] : []), command], options)
}
