/** Six bytes that price a path of any length, in integer arithmetic alone (docs/spec/path-cost.md). */
export { decodeBandwidth, encodeBandwidth } from './bandwidth.ts'
export { addCost, costMicroPerMib, costTable, decodeCost, encodeCost, isCost } from './cost.ts'
export { PathCostError, type PathCostErrorDetail } from './errors.ts'
export {
  BANDWIDTH_MAX,
  COST_FREE,
  COST_MAX,
  COST_UNREACHABLE,
  HOPS_MAX,
  LATENCY_MS_MAX,
  PATH_COST_BYTES,
} from './limits.ts'
export {
  decodePathCost,
  encodePathCost,
  type HopCost,
  isReachable,
  PATH_COST_ORIGIN,
  type PathCost,
  relay,
  writePathCost,
} from './path-cost.ts'
