import { type Child, startRole } from '../child.ts'
import type { Contender, Job } from '../job.ts'
import { IMPLEMENTATIONS, LACKING, OPERATIONS, type Operation, operationId } from '../operations.ts'

const SECONDS = 0.06
const SECONDS_SHORT = 0.02

/** One job for each operation; they have no target, they are what the other figures are made of. */
export const primitives: readonly Job[] = Object.entries(OPERATIONS).map(([operation, title]) => ({
  id: `primitive-${operation}`,
  title,
  unit: 'µs',
  contenders: IMPLEMENTATIONS.filter(({ id }) => !LACKING[id]?.includes(operation as Operation)).map(({ id, title }) =>
    contender(id, title, operation as Operation),
  ),
  targets: [],
}))

let shared: { role: Child; users: number } | undefined

function contender(id: string, title: string, operation: Operation): Contender {
  return {
    id,
    title,
    kind: id === 'ours' ? 'ours' : 'peer',
    async start({ share }) {
      shared ??= { role: startRole('primitives'), users: 0 }
      const { role } = shared
      shared.users++
      const seconds = share < 1 ? SECONDS_SHORT : SECONDS
      return {
        measure: async () => ({
          value: Number((await role.ask(operationId(id, operation), { seconds }))['micros']),
        }),
        async stop() {
          if (--shared!.users > 0) return
          shared = undefined
          await role.stop()
        },
      }
    },
  }
}
