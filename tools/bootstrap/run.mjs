/**
 * `npm start` and `npm test` begin here. Any Node.js from 16 on runs this folder: it fetches the pinned pnpm and, where
 * the machine's Node.js is older than 24, a pinned Node.js, and hands over to them.
 */
import process from 'node:process'
import { ExpectedFailure } from './failure.mjs'
import { start } from './start.mjs'
import { test } from './test.mjs'

const NODE_MAJOR_MIN = 16

async function main(command, args) {
  if (Number(process.versions.node.split('.')[0]) < NODE_MAJOR_MIN) {
    throw new ExpectedFailure(
      `This is Node.js ${process.versions.node}. Please install Node.js 20 or newer (https://nodejs.org), then try again.`,
    )
  }
  if (command === 'start') return start(args)
  if (command === 'test' || command === 'slow') return test(`${command}.ts`, args)
  throw new ExpectedFailure('usage: node tools/bootstrap/run.mjs start [demo] [flags] | test [flags] | slow [suites]')
}

main(process.argv[2], process.argv.slice(3)).then(
  (exitCode) => {
    process.exitCode = exitCode
  },
  (error) => {
    process.stderr.write(`\n${error instanceof ExpectedFailure ? error.message : error.stack || error}\n`)
    process.exitCode = 1
  },
)
