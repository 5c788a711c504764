/** The page of a node, or of several run together: static files, the API over loopback HTTP, health, metrics. */
export { metricsText } from './page/metrics.ts'
export type { PageNode } from './page/page-node.ts'
export { SegmentApi } from './page/segment-api.ts'
export { PageServer, type PageServerOptions } from './page/server.ts'
