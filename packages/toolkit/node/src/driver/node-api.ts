import { encodeUtf8, fromHex, toHex } from '@nexus/codec'
import { type MessageStatus as OutboxStatus, SessionError } from '@nexus/session'
import type { Listening } from '@nexus/transport'
import type { Api, parseCall } from '../api/api.ts'
import { ApiError } from '../api/error.ts'
import type {
  MessageStatus,
  MethodName,
  MethodParams,
  MethodResult,
  NodeEvent,
  ReceivedMessage,
  Status,
  TraceResult,
} from '../api/schemas.ts'
import type { SegmentReport } from '../api/segment.ts'
import type { TrustedPeer } from '../core/contacts.ts'
import type { EventLog } from '../core/events.ts'
import type { NodeCore } from '../core/node-core.ts'
import { disputeChannel, openChannel, settleChannel } from './channel-methods.ts'
import { explainPath } from './explain-path.ts'
import { describeTrace } from './explain-trace.ts'
import { type Message, messageOf } from './message.ts'
import { eventsOf, pushed } from './pushed.ts'
import { statusOf } from './status.ts'

export interface NodeApiParts {
  readonly core: NodeCore
  readonly log: EventLog
  readonly version: string
  readonly crypto: string
  now(): number
  queuedBytes(interfaceId: string): number
  listening(): ReadonlyMap<string, Listening>
  /** Something was put into the core: its timers are to be looked at. */
  changed(): void
  stop(): void
  onMessage(listener: (message: Message) => void): () => void
  /** What the node knows of its link-local segments, where it takes part in any. */
  readonly segment?: (() => SegmentReport) | undefined
}

/** Loaded with the first call: a node that nobody asks is a sixth smaller without them. */
const schemas = () => import('../api/api.ts')

type Carriers = { [M in MethodName]?: (params: never) => MethodResult<M> | Promise<MethodResult<M>> }

/** The methods of a node in this process. */
export class NodeApi implements Api {
  readonly #parts: NodeApiParts
  readonly #closed = new AbortController()
  readonly #carriers: Carriers

  constructor(parts: NodeApiParts) {
    this.#parts = parts
    const params = <M extends MethodName>(
      carry: (given: ReturnType<typeof parseCall<M>>['params']) => MethodResult<M> | Promise<MethodResult<M>>,
    ) => carry
    this.#carriers = {
      status: params<'status'>(({ routesMax }) => this.status(routesMax)),
      send: params<'send'>((given) => this.#send(given)),
      message: params<'message'>(({ id }) => this.#message(id)),
      outbox: () => ({ messages: parts.core.messenger.list(parts.now()).map(messageStatus) }),
      cancel: params<'cancel'>(({ id }) => this.#cancel(id)),
      take: params<'take'>(({ key }) => ({ taken: parts.core.messenger.take(BigInt(key)) })),
      ping: params<'ping'>(({ to, timeoutMs }) => this.#trace(to, false, timeoutMs)),
      trace: params<'trace'>(({ to, timeoutMs }) => this.#trace(to, true, timeoutMs)),
      path: params<'path'>(({ to }) => explainPath(parts.core, parts.now(), this.#resolve(to))),
      segment: () => this.#segment(),
      'peer-list': () => ({ peers: [...parts.core.contacts.trusted()].map(peerOf) }),
      'peer-add': params<'peer-add'>((given) => this.#addPeer(given)),
      'peer-remove': params<'peer-remove'>(({ nodeId }) => this.#removePeer(nodeId)),
      'channel-open': params<'channel-open'>(({ to }) =>
        openChannel(parts.core.economy, parts.now(), this.#resolve(to)),
      ),
      'channel-settle': params<'channel-settle'>(({ to }) =>
        settleChannel(parts.core.economy, parts.now(), this.#resolve(to)),
      ),
      'channel-dispute': params<'channel-dispute'>(({ to }) => disputeChannel(parts.core.economy, this.#resolve(to))),
      stop: () => {
        // The answer is to go out before the socket closes.
        setTimeout(() => parts.stop(), 50)
        return { stopping: true }
      },
    }
  }

  async call<M extends MethodName>(method: M, given: MethodParams<M>): Promise<MethodResult<M>> {
    if (this.#closed.signal.aborted) throw new ApiError({ code: 'stopping', message: 'the node is stopping' })
    const { params } = (await schemas()).parseCall<M>(method, given)
    const carry = this.#carriers[method] as
      | ((params: unknown) => MethodResult<M> | Promise<MethodResult<M>>)
      | undefined
    if (carry === undefined) throw new ApiError({ code: 'bad-request', message: `${method} is a stream` })
    try {
      return await carry(params)
    } finally {
      this.#parts.changed()
    }
  }

  async *stream<M extends MethodName>(
    method: M,
    given: MethodParams<M>,
    signal: AbortSignal,
  ): AsyncIterable<MethodResult<M>> {
    const until = AbortSignal.any([signal, this.#closed.signal])
    // From now on, not from when the schemas are there.
    const { sequence } = this.#parts.log
    const { parseCall } = await schemas()
    if (method === 'events') {
      const { params } = parseCall<'events'>(method, given)
      yield* this.#events(params.after ?? sequence, until) as AsyncIterable<MethodResult<M>>
    } else if (method === 'listen') {
      const { params } = parseCall<'listen'>(method, given)
      yield* this.#listen(params.take, until) as AsyncIterable<MethodResult<M>>
    } else {
      throw new ApiError({ code: 'bad-request', message: `${method} is no stream` })
    }
  }

  /** What the node is and does, with at most `routesMax` of its routes. */
  status(routesMax = 1_000): Status {
    const { core, version, crypto, now, queuedBytes, listening } = this.#parts
    return statusOf(core, now(), { version, crypto, routesMax, queuedBytes, listening })
  }

  /** Ends all streams; calls are refused from now on. */
  close(): void {
    this.#closed.abort()
  }

  #send({
    to,
    text,
    bodyHex,
    anonymous,
    expiresMs,
  }: {
    to: string
    text?: string | undefined
    bodyHex?: string | undefined
    anonymous: boolean
    expiresMs?: number | undefined
  }): MessageStatus {
    if ((text === undefined) === (bodyHex === undefined)) {
      throw new ApiError({ code: 'bad-request', message: 'give either text or bodyHex' })
    }
    const { core, now } = this.#parts
    const destination = this.#resolve(to)
    const body = text === undefined ? fromHex(bodyHex!) : encodeUtf8(text)
    try {
      const id = core.send(now(), destination, body, { anonymous, ...(expiresMs === undefined ? {} : { expiresMs }) })
      core.tick(now())
      return this.#message(String(id))
    } catch (error) {
      if (!(error instanceof SessionError)) throw error
      const code = error.detail.code === 'session/outbox-full' ? 'limit' : 'too-large'
      throw new ApiError({ code, message: error.message })
    }
  }

  #message(id: string): MessageStatus {
    const status = /^\d{1,20}$/.test(id) ? this.#parts.core.messenger.status(this.#parts.now(), BigInt(id)) : undefined
    if (status === undefined) {
      throw new ApiError({ code: 'not-found', message: `no message ${id} is in the outbox or among the last settled` })
    }
    return messageStatus(status)
  }

  #cancel(id: string): MessageStatus {
    const before = this.#message(id)
    this.#parts.core.messenger.cancel(this.#parts.now(), BigInt(id))
    return before.state === 'delivered' || before.state === 'failed' ? before : this.#message(id)
  }

  #segment(): SegmentReport {
    const { segment } = this.#parts
    if (segment !== undefined) return segment()
    const message = 'this node takes part in no segment'
    throw new ApiError({ code: 'not-found', message, next: 'set segment.enabled in its configuration' })
  }

  #trace(to: string, record: boolean, timeoutMs: number): Promise<TraceResult> {
    const { core, now } = this.#parts
    const destination = this.#resolve(to)
    return new Promise((resolve, reject) => {
      try {
        core.trace(now(), destination, record, timeoutMs, (report) => resolve(describeTrace(core, destination, report)))
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        reject(new ApiError({ code: 'limit', message: error.message, next: 'wait for one of them to end' }))
      }
    })
  }

  #addPeer(given: MethodParams<'peer-add'>): MethodResult<'peer-add'> {
    const { core, now } = this.#parts
    const peer: TrustedPeer = {
      nodeId: fromHex(given.nodeId),
      ...(given.publicKey === undefined ? {} : { publicKey: fromHex(given.publicKey) }),
      ...(given.name === undefined ? {} : { name: given.name }),
      ...(given.address === undefined ? {} : { address: given.address }),
      ...(given.priceMicroPerMib === undefined ? {} : { priceMicroPerMib: given.priceMicroPerMib }),
      ...(given.creditLineMicro === undefined ? {} : { creditLineMicro: BigInt(given.creditLineMicro) }),
      ...(given.vouched === undefined ? {} : { vouched: given.vouched }),
    }
    try {
      core.trust(now(), peer)
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error
      throw new ApiError({ code: 'bad-request', message: error.message })
    }
    return peerOf(peer)
  }

  #removePeer(nodeId: string): MethodResult<'peer-remove'> {
    const peer = this.#parts.core.distrust(this.#parts.now(), fromHex(nodeId))
    if (peer === undefined)
      throw new ApiError({ code: 'not-found', message: `${nodeId} is not among the trusted peers` })
    return peerOf(peer)
  }

  /** A NodeID, or the name or label of a node that is known here, or the first digits of its NodeID. */
  #resolve(to: string): Uint8Array {
    if (/^[0-9a-fA-F]{32}$/.test(to)) return fromHex(to)
    const found = this.#parts.core.contacts.find(to)
    if (found.length === 1) return fromHex(found[0]!)
    throw new ApiError({
      code: 'unknown-node',
      message:
        found.length === 0
          ? `no node here is called ${JSON.stringify(to)}`
          : `${JSON.stringify(to)} may be any of ${found.join(', ')}`,
      next: 'give the whole NodeID, 32 hexadecimal digits',
    })
  }

  async *#events(after: number, until: AbortSignal): AsyncIterable<NodeEvent> {
    yield* eventsOf(this.#parts.log, after, until)
  }

  async *#listen(take: boolean, until: AbortSignal): AsyncIterable<ReceivedMessage> {
    const { core, onMessage } = this.#parts
    const seen = new Set<bigint>()
    const messages = pushed<Message>(until, (push) => {
      const stop = onMessage(push)
      for (const message of core.messenger.inbox()) push(messageOf(message))
      return stop
    })
    for await (const message of messages) {
      const { handle } = message
      if (seen.has(handle)) continue
      if (!take) seen.add(handle)
      yield receivedOf(core, message)
      // Only what the caller came back from is taken: what was lost on its way is shown again.
      if (take) core.messenger.take(handle)
    }
  }
}

function messageStatus({ id, destination, state, reason, nextStep, tries, expiresInMs }: OutboxStatus): MessageStatus {
  return {
    id: String(id),
    to: toHex(destination),
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(nextStep === undefined ? {} : { next: nextStep }),
    attempts: tries,
    expiresInMs,
  }
}

function receivedOf(core: NodeCore, { handle, from, body, text, receivedAt }: Message): ReceivedMessage {
  const label = from === undefined ? undefined : core.contacts.labelOf(fromHex(from))
  return {
    key: String(handle),
    from: from ?? null,
    ...(label === undefined ? {} : { fromLabel: label }),
    ...(text === undefined ? {} : { text }),
    bodyHex: toHex(body),
    receivedAt: receivedAt.toISOString(),
  }
}

function peerOf(peer: TrustedPeer): MethodResult<'peer-add'> {
  const { nodeId, publicKey, name, address, priceMicroPerMib, creditLineMicro, vouched } = peer
  return {
    nodeId: toHex(nodeId),
    ...(publicKey === undefined ? {} : { publicKey: toHex(publicKey) }),
    ...(name === undefined ? {} : { name }),
    ...(address === undefined ? {} : { address }),
    ...(priceMicroPerMib === undefined ? {} : { priceMicroPerMib }),
    ...(creditLineMicro === undefined ? {} : { creditLineMicro: `${creditLineMicro}` }),
    ...(vouched === undefined ? {} : { vouched }),
  }
}
