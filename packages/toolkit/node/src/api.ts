/** What a running node answers: methods, parameters and results as schemas; shared by server, tools and page. */
export { type Api, parseCall } from './api/api.ts'
export {
  ApiError,
  type ApiErrorDetail,
  apiErrorSchema,
  type MessageStatus,
  type MethodName,
  type MethodParams,
  type MethodResult,
  methods,
  type NodeEvent,
  nodeIdSchema,
  type PathResult,
  type ReceivedMessage,
  type Status,
  statusSchema,
  type TraceResult,
} from './api/schemas.ts'
