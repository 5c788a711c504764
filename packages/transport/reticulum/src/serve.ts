import { equalBytes } from '@nexus/codec'
import type { Destination } from './destination.ts'
import type { Link } from './link.ts'
import type { MsgPack } from './msgpack.ts'
import type { Request } from './request-codec.ts'

/** What the destination of a link answers to a request; `undefined`, and so nothing is sent, for who may not ask. */
export async function serveRequest(
  destination: Destination | undefined,
  link: Link,
  request: Request,
  requestId: Uint8Array,
): Promise<MsgPack | undefined> {
  const served = destination?.served(request.pathHash)
  if (served === undefined) return undefined
  const { path, handler, allow = 'all' } = served
  const peer = link.remoteIdentity?.hash
  if (allow !== 'all' && !allow.some((hash) => peer !== undefined && equalBytes(hash, peer))) return undefined
  return handler({ path, data: request.data, requestId, requestedAtMs: request.requestedAt * 1_000, link })
}
