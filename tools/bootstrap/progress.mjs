import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'

const REDRAW_MS = 250

/**
 * Tells that a folder is being filled: on a terminal one line that counts megabytes and seconds, elsewhere a line at the
 * start and one at the end. Returns the function that ends it.
 */
export function reportGrowth(title, folder) {
  const out = process.stderr
  const startMs = Date.now()
  const seconds = () => ((Date.now() - startMs) / 1000).toFixed(1)
  const draw = () => out.write(`\r${title} … ${megabytes(folder)} MB, ${seconds()} s `)
  if (!out.isTTY) out.write(`${title} …\n`)
  const timer = out.isTTY ? setInterval(draw, REDRAW_MS) : undefined
  return (succeeded) => {
    clearInterval(timer)
    if (out.isTTY) draw()
    if (out.isTTY) out.write('\n')
    else if (succeeded) out.write(`… done in ${seconds()} s\n`)
  }
}

function megabytes(folder) {
  return Math.round(bytesIn(folder) / 1e6)
}

function bytesIn(path) {
  try {
    const stat = lstatSync(path)
    if (!stat.isDirectory()) return stat.size
    return readdirSync(path).reduce((sum, name) => sum + bytesIn(join(path, name)), 0)
  } catch {
    // npm moves folders while it works: what has just gone counts as nothing.
    return 0
  }
}
