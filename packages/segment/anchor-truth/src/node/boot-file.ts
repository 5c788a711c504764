import { readFileSync } from 'node:fs'
import { writePrivateFile } from '@nexus/identity/node'

const U32_MAX = 0xffff_ffff

/**
 * The boot counter of a node in a file: each call gives a number above all before and has it on disk first.
 * @throws {RangeError} for a file that holds no such number, or after 2^32 − 1
 */
export function bootFile(path: string): (above: number) => number {
  return (above) => {
    const next = Math.max(above, readBoot(path)) + 1
    if (next > U32_MAX) throw new RangeError('the boot counter is at its end')
    writePrivateFile(path, new TextEncoder().encode(`${next}\n`), { overwrite: true })
    return next
  }
}

function readBoot(path: string): number {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
  const boot = Number(text)
  if (!/^\d+$/.test(text) || boot > U32_MAX) throw new RangeError(`${path} holds no boot counter`)
  return boot
}
