/** What a running node answers: methods, parameters and results as schemas; shared by server, tools and page. */
export { type Api, parseCall } from './api/api.ts'
export { type EconomyReport, economyStatusSchema } from './api/economy.ts'
export { ApiError } from './api/error.ts'
export { nodeIdSchema } from './api/ids.ts'
export {
  type ApiErrorDetail,
  apiErrorSchema,
  eventSchema,
  type MessageStatus,
  type MethodName,
  type MethodParams,
  type MethodResult,
  messageStateSchema,
  methods,
  type NodeEvent,
  type PathResult,
  pathResultSchema,
  type ReceivedMessage,
  receivedMessageSchema,
  type Status,
  statusSchema,
  type TraceResult,
  traceResultSchema,
} from './api/schemas.ts'
export {
  type SegmentInterface,
  type SegmentMember,
  type SegmentReport,
  segmentSchema,
} from './api/segment.ts'
export type { Look, NodeLook, ViewName, WatchItem } from './api/watch.ts'
