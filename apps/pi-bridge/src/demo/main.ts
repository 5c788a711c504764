/** Runs the demonstration by itself; `nexus-node demo` does the same. */
import { parseArgs } from 'node:util'
import { runDemo } from './run.ts'

const { values } = parseArgs({
  options: { fresh: { type: 'boolean' }, state: { type: 'string' }, port: { type: 'string' } },
})
const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => ended.abort())
await runDemo(
  {
    stateDir: values.state ?? 'state/demo',
    fresh: values.fresh ?? false,
    port: Number(values.port ?? 4280),
    say: (text) => console.log(text),
  },
  ended.signal,
)
