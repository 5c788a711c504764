import type { MessageStatus, NodeEvent, ReceivedMessage } from '@nexus/node/api'
import { CallError, Client, type NodeEntry } from './client.ts'
import { prepend } from './model/bounded.ts'
import { Rates } from './model/rates.ts'
import { mergeTopology, type ShownNode, type Topology } from './model/topology.ts'
import { FIRST_STATE, type Flow, type PageState, type Received, type SentMessage } from './state.ts'

const LOOK_MS = 1_000
const RETRY_MS_FIRST = 1_000
const RETRY_MS_MAX = 15_000
/** Routes asked of a node that is not looked at: enough for the graph. */
const ROUTES_OTHERS_MAX = 100
const ROUTES_SELECTED_MAX = 1_000
export const EVENTS_MAX = 300
const MESSAGES_MAX = 100

/**
 * Looks at the server once a second while the page is visible, follows the streams of the node that is looked at, and
 * holds what came of it as one immutable state.
 */
export class Watcher {
  readonly rates = new Rates()
  #state: PageState = FIRST_STATE
  #client: Client
  readonly #listeners = new Set<(state: PageState) => void>()
  readonly #ids = new Map<string, string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #looking = false
  #retryMs = RETRY_MS_FIRST
  #streams: { readonly node: string; readonly abort: AbortController } | undefined
  #wantsOutbox = false

  constructor(token: string) {
    this.#client = new Client(token)
  }

  get state(): PageState {
    return this.#state
  }

  subscribe(listener: (state: PageState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Begins anew with another token. */
  useToken(token: string): void {
    this.#client = new Client(token)
    this.#unfollow()
    this.#set({ connection: { state: 'connecting' } })
    this.lookNow()
  }

  /** Looks at once, and from then on. */
  lookNow(): void {
    clearTimeout(this.#timer)
    void this.#look()
  }

  /** Stops looking and listening; {@link lookNow} takes up again. */
  pause(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#unfollow()
  }

  select(name: string): void {
    if (name === this.#state.selected) return
    this.#unfollow()
    this.#set({ selected: name, events: [], received: [], sent: this.#ownSent(), trace: undefined, problem: undefined })
    this.lookNow()
  }

  async setPower(name: string, on: boolean): Promise<void> {
    this.#set({ switching: new Set([...this.#state.switching, name]), problem: undefined })
    await this.#attempt(() => this.#client.setPower(name, on))
    const switching = new Set(this.#state.switching)
    switching.delete(name)
    this.#set({ switching })
    this.lookNow()
  }

  /** Sends from the node that is looked at. Returns whether it was taken. */
  async send(to: string, text: string): Promise<boolean> {
    const from = this.#state.selected
    if (from === undefined) return false
    const status = await this.#attempt(() => this.#client.call(from, 'send', { to, text }))
    if (status === undefined) return false
    const message: SentMessage = { kind: 'sent', from, status, text, at: new Date().toISOString() }
    this.#set({ sent: prepend(this.#state.sent, message, MESSAGES_MAX), problem: undefined })
    return true
  }

  /** Says of all messages received at the node that is looked at that they were read. */
  async takeAll(): Promise<void> {
    const node = this.#state.selected
    if (node === undefined) return
    for (const { message } of this.#state.received) {
      if ((await this.#attempt(() => this.#client.call(node, 'take', { key: message.key }))) === undefined) return
      this.#set({ received: this.#state.received.filter((other) => other.message.key !== message.key) })
    }
  }

  async trace(to: string): Promise<void> {
    const node = this.#state.selected
    if (node === undefined) return
    this.#set({ trace: { node, to } })
    try {
      const result = await this.#client.call(node, 'trace', { to, timeoutMs: 15_000 })
      if (this.#isTracing(node, to)) this.#set({ trace: { node, to, result } })
    } catch (error) {
      if (this.#isTracing(node, to)) this.#set({ trace: { node, to, error: explain(error) } })
    }
  }

  clearTrace(): void {
    this.#set({ trace: undefined })
  }

  /** The next hops towards a destination, for the node that is looked at. */
  async path(to: string) {
    const node = this.#state.selected
    if (node === undefined) throw new CallError({ code: 'not-found', message: 'no node is looked at' })
    return this.#client.call(node, 'path', { to })
  }

  #isTracing(node: string, to: string): boolean {
    const { trace } = this.#state
    return trace?.node === node && trace.to === to
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      this.#set({ problem: explain(error) })
      return undefined
    }
  }

  #set(change: Partial<PageState>): void {
    this.#state = { ...this.#state, ...change }
    for (const listener of this.#listeners) listener(this.#state)
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    const client = this.#client
    let waitMs = LOOK_MS
    try {
      await this.#lookOnce(client)
      this.#retryMs = RETRY_MS_FIRST
    } catch (error) {
      const code = error instanceof CallError ? error.detail.code : 'internal'
      waitMs = code === 'unauthorised' ? Number.POSITIVE_INFINITY : this.#retryMs
      if (client === this.#client) this.#lost(code === 'unauthorised', waitMs)
      this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX)
    } finally {
      this.#looking = false
    }
    if (client !== this.#client) return this.lookNow()
    clearTimeout(this.#timer)
    if (document.visibilityState === 'hidden' || waitMs === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(() => void this.#look(), waitMs)
  }

  #lost(unauthorised: boolean, waitMs: number): void {
    this.#unfollow()
    this.#set({
      connection: unauthorised ? { state: 'unauthorised' } : { state: 'lost', retryAtMs: Date.now() + waitMs },
    })
  }

  async #lookOnce(client: Client): Promise<void> {
    const { about, nodes: entries } = await client.nodes()
    const selected = entries.find(({ name }) => name === this.#state.selected)?.name ?? entries[0]?.name
    const [nodes, outbox] = await Promise.all([
      Promise.all(entries.map((entry) => this.#statusOf(client, entry, entry.name === selected))),
      this.#outbox(
        client,
        entries.find(({ name }) => name === selected),
      ),
    ])
    if (client !== this.#client) return
    for (const { name, status } of nodes) if (status !== undefined) this.#ids.set(name, status.node.nodeId)
    const topology = mergeTopology(nodes, this.#ids)
    const flows = this.#measure(topology, nodes)
    const isSame = this.#state.selected === undefined || this.#state.selected === selected
    this.#set({
      connection: { state: 'live' },
      about,
      nodes,
      topology,
      flows,
      look: this.#state.look + 1,
      ...(isSame ? { selected } : {}),
      ...(outbox !== undefined && isSame ? { sent: merged(this.#state.sent, selected!, outbox) } : {}),
    })
    this.#follow(nodes.find(({ name }) => name === this.#state.selected))
  }

  async #statusOf(client: Client, entry: NodeEntry, isSelected: boolean): Promise<ShownNode> {
    const before = this.#state.nodes.find(({ name }) => name === entry.name)?.status
    if (!entry.running) return { ...entry, status: before }
    try {
      const routesMax = isSelected ? ROUTES_SELECTED_MAX : ROUTES_OTHERS_MAX
      return { ...entry, status: await client.call(entry.name, 'status', { routesMax }) }
    } catch (error) {
      if (!(error instanceof CallError) || isServerGone(error)) throw error
      // Busy nodes keep what they said last; others were switched off in between, as the next look will say too.
      return { ...entry, running: error.detail.code === 'timeout', status: before }
    }
  }

  async #outbox(client: Client, entry: NodeEntry | undefined): Promise<MessageStatus[] | undefined> {
    if (entry?.running !== true) return undefined
    const isPending = this.#state.sent.some(({ from, status }) => from === entry.name && !isSettled(status))
    if (!isPending && !this.#wantsOutbox && this.#state.look % 5 !== 0) return undefined
    this.#wantsOutbox = false
    try {
      return (await client.call(entry.name, 'outbox', {})).messages
    } catch (error) {
      if (!(error instanceof CallError) || isServerGone(error)) throw error
      return undefined
    }
  }

  #measure({ edges }: Topology, nodes: readonly ShownNode[]): Map<string, Flow> {
    const nowMs = performance.now()
    const flows = new Map<string, Flow>()
    for (const { key, bytes } of edges.values()) {
      this.rates.note(`${key} forth`, nowMs, bytes[0])
      this.rates.note(`${key} back`, nowMs, bytes[1])
      const flow = { forth: this.rates.lastStep(`${key} forth`), back: this.rates.lastStep(`${key} back`) }
      if (flow.forth > 0 || flow.back > 0) flows.set(key, flow)
    }
    for (const { name, running, status } of nodes) {
      if (!running) continue
      for (const { id, controlBytes, sentBytes, receivedBytes } of status?.interfaces ?? []) {
        this.rates.note(`${name}/${id} control`, nowMs, controlBytes)
        this.rates.note(`${name}/${id} sent`, nowMs, sentBytes)
        this.rates.note(`${name}/${id} received`, nowMs, receivedBytes)
      }
    }
    return flows
  }

  /** Follows the streams of a node that runs, until another is looked at or it goes off. */
  #follow(node: ShownNode | undefined): void {
    if (node?.running !== true) return this.#unfollow()
    if (this.#streams?.node === node.name || document.visibilityState === 'hidden') return
    this.#unfollow()
    const abort = new AbortController()
    this.#streams = { node: node.name, abort }
    const ended = (): void => {
      if (this.#streams?.abort !== abort) return
      abort.abort()
      this.#streams = undefined
    }
    const follow = async (work: () => Promise<void>): Promise<void> =>
      work()
        .catch(() => {})
        .finally(ended)
    void follow(() => this.#followEvents(node.name, abort.signal))
    void follow(() => this.#followMessages(node.name, abort.signal))
  }

  #unfollow(): void {
    this.#streams?.abort.abort()
    this.#streams = undefined
  }

  async #followEvents(node: string, signal: AbortSignal): Promise<void> {
    this.#set({ events: [] })
    for await (const event of this.#client.stream(node, 'events', { after: 0 }, signal)) {
      if (signal.aborted) return
      this.#noteEvent(event)
    }
  }

  #noteEvent(event: NodeEvent): void {
    this.#set({ events: prepend(this.#state.events, event, EVENTS_MAX) })
    if (event.kind === 'message-received')
      this.#set({ received: this.#state.received.map((each) => this.#dated(each)) })
    if (event.kind !== 'message-state') return
    this.#wantsOutbox = true
    const { sent, selected } = this.#state
    const isOurs = sent.some(
      ({ from, status }) => from === selected && status.id === event.facts['id'] && !isSettled(status),
    )
    if (isOurs) this.lookNow()
  }

  async #followMessages(node: string, signal: AbortSignal): Promise<void> {
    for await (const message of this.#client.stream(node, 'listen', { take: false }, signal)) {
      if (signal.aborted) return
      this.#noteMessage(node, message)
    }
  }

  #noteMessage(node: string, message: ReceivedMessage): void {
    if (this.#state.received.some(({ message: other }) => other.key === message.key)) return
    this.#set({
      received: prepend(this.#state.received, this.#dated({ kind: 'received', node, message }), MESSAGES_MAX),
    })
  }

  /** A message that waits in the inbox is handed out with the time of now; the event has that of its arrival. */
  #dated(received: Received): Received {
    const { message } = received
    const event = this.#state.events.find(
      ({ kind, facts }) => kind === 'message-received' && facts['handle'] === message.key,
    )
    return event === undefined ? received : { ...received, message: { ...message, receivedAt: event.at } }
  }

  /** What this page itself sent; the rest of an outbox belongs to the node that was looked at. */
  #ownSent(): SentMessage[] {
    return this.#state.sent.filter(({ text }) => text !== undefined)
  }
}

const isServerGone = ({ detail: { code } }: CallError): boolean => code === 'unauthorised' || code === 'unreachable'
const isSettled = ({ state }: MessageStatus): boolean => state === 'delivered' || state === 'failed'

/** The sent messages with their states of now, and those of the outbox that other means have sent. */
function merged(sent: readonly SentMessage[], node: string, outbox: readonly MessageStatus[]): SentMessage[] {
  const states = new Map(outbox.map((status) => [status.id, status]))
  const known = new Set<string>()
  const updated = sent.map((message) => {
    if (message.from !== node) return message
    known.add(message.status.id)
    const status = states.get(message.status.id)
    return status === undefined ? message : { ...message, status }
  })
  const others = outbox.filter(({ id }) => !known.has(id)).reverse()
  return [...updated, ...others.map((status): SentMessage => ({ kind: 'sent', from: node, status }))].slice(
    0,
    MESSAGES_MAX,
  )
}

/** What went wrong and what to do, in one or two sentences. */
export function explain(error: unknown): string {
  if (!(error instanceof CallError)) return String(error)
  const { message, next } = error.detail
  const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`
  return next === undefined ? sentence(message) : `${sentence(message)} ${sentence(next)}`
}
