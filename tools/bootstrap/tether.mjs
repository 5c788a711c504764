/**
 * Loaded before a program that run.mjs starts: when run.mjs is gone, even by SIGKILL, the channel between them closes
 * and the program gets the SIGTERM that it would have got.
 */
import process from 'node:process'

const GRACE_MS = 10000

if (process.channel) {
  process.once('disconnect', () => {
    setTimeout(() => process.exit(143), GRACE_MS).unref()
    // Windows has no signals between processes: there the program's own handler is called.
    if (process.platform !== 'win32') process.kill(process.pid, 'SIGTERM')
    else if (!process.emit('SIGTERM', 'SIGTERM')) process.exit(143)
  })
  process.channel.unref()
}
