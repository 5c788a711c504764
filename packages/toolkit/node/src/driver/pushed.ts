import { ApiError } from '../api/error.ts'
import type { NodeEvent } from '../api/schemas.ts'
import type { EventLog } from '../core/events.ts'

/** What may wait for a listener that does not read. */
const UNREAD_ITEMS_MAX = 10_000

/** What is pushed, in order, until `until` aborts; a reader that falls far behind is cut off. */
export async function* pushed<T>(until: AbortSignal, begin: (push: (item: T) => void) => () => void): AsyncIterable<T> {
  const items: T[] = []
  let wake = (): void => {}
  const onAbort = (): void => wake()
  until.addEventListener('abort', onAbort, { once: true })
  const end = begin((item) => {
    items.push(item)
    wake()
  })
  try {
    while (!until.aborted) {
      if (items.length > UNREAD_ITEMS_MAX)
        throw new ApiError({ code: 'limit', message: 'too many items were not read' })
      const item = items.shift()
      if (item !== undefined) yield item
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    end()
    until.removeEventListener('abort', onAbort)
  }
}

/** Events with a sequence above `after`, those that are remembered first, until `until` aborts. */
export function eventsOf(log: EventLog, after: number, until: AbortSignal): AsyncIterable<NodeEvent> {
  return pushed<NodeEvent>(until, (push) => {
    for (const event of log.after(after)) push(event)
    return log.listen(push)
  })
}
