import type { Api } from '../api/api.ts'
import { ApiError } from '../api/error.ts'
import type { MessageStatus } from '../api/schemas.ts'
import type { NodeLook, ViewName } from '../api/watch.ts'
import { ControlUnreachableError } from '../control/client.ts'
import { type PageNode, viewsOf } from './page-node.ts'

/** Routes asked of the node that is looked at, and of the others: enough for the graph. */
const ROUTES_MAX = 1_000
const ROUTES_OTHERS_MAX = 100
/** A node that takes longer keeps what it said before. */
const ANSWER_MS_MAX = 5_000

/** What is asked of a node for each view. */
const ASK = {
  status: (api: Api, isSelected: boolean) =>
    api.call('status', { routesMax: isSelected ? ROUTES_MAX : ROUTES_OTHERS_MAX }),
  segment: (api: Api) => api.call('segment', {}),
} satisfies Record<ViewName, (api: Api, isSelected: boolean) => Promise<unknown>>

/** A node as it is now, with an answer for each of its views that came in time. */
export async function lookAt(node: PageNode, isSelected: boolean): Promise<NodeLook> {
  const { name, role } = node
  const views = viewsOf(node)
  const api = node.api()
  const answers = await Promise.all(
    views.map(async (view) => [view, api && (await inTime<unknown>(ASK[view](api, isSelected)))] as const),
  )
  const given = Object.fromEntries(answers.filter(([, answer]) => answer !== undefined))
  return { name, role, running: api !== undefined, switchable: node.setPower !== undefined, views, ...given }
}

/** The node's outbox, if it answers in time. */
export async function outboxOf(api: Api): Promise<readonly MessageStatus[] | undefined> {
  return (await inTime(api.call('outbox', {})))?.messages
}

/** The answer; undefined where it is refused, since the node is going or has no such view, or takes too long. */
async function inTime<T>(answer: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ANSWER_MS_MAX)
  })
  try {
    return await Promise.race([answer, late])
  } catch (error) {
    if (error instanceof ApiError || error instanceof ControlUnreachableError) return undefined
    throw error
  } finally {
    clearTimeout(timer)
  }
}
