// Runs inside a network namespace: a server and a client of it; tells what happens to the client on stdout.
import { tcpClient, tcpServer } from '../src/index.ts'

const [address = ''] = process.argv.slice(2)
const say = (event: string) => process.stdout.write(`${JSON.stringify({ atMs: Date.now(), event })}\n`)
const quiet = { up: () => {}, down: () => {}, frame: () => {} }

await tcpServer({ port: 4_242 }).start(quiet)
// Without the watch the next attempt would be half a minute away.
await tcpClient({ address, retryMsMin: 60_000 }).start({
  ...quiet,
  up: () => say('up'),
  down: (_iface, reason) => say(`down: ${reason}`),
})
