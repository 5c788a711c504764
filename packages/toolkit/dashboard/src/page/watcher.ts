import type { Look, MessageStatus, NodeEvent, ReceivedMessage, WatchItem } from '@nexus/node/api'
import { CallError, Client } from './client.ts'
import { prepend } from './model/bounded.ts'
import { MoneyWatch } from './model/money.ts'
import { Rates } from './model/rates.ts'
import { mergeTopology, type ShownNode, type Topology } from './model/topology.ts'
import { FIRST_STATE, type Flow, type PageState, type Received, type SentMessage } from './state.ts'

/** The server looks once a second; one that says nothing for so long is not there. */
const SILENT_MS_MAX = 10_000
const RETRY_MS_FIRST = 1_000
const RETRY_MS_MAX = 15_000
export const EVENTS_MAX = 300
const MESSAGES_MAX = 100

/**
 * Reads the server's one stream while the page is visible, and holds what came of it as one immutable state. One stream
 * and no more: browsers keep to six connections per server over all windows.
 */
export class Watcher {
  readonly rates = new Rates()
  readonly #money = new MoneyWatch()
  #state: PageState = FIRST_STATE
  #client: Client
  readonly #listeners = new Set<(state: PageState) => void>()
  readonly #ids = new Map<string, string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #retryMs = RETRY_MS_FIRST
  #watching: AbortController | undefined

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
    this.#set({ connection: { state: 'connecting' } })
    this.lookNow()
  }

  /** Looks at once, and from then on. */
  lookNow(): void {
    void this.#watch()
  }

  /** Stops looking; {@link lookNow} takes up again. */
  pause(): void {
    this.#unwatch()
  }

  select(name: string): void {
    if (name === this.#state.selected) return
    this.#set({ selected: name, events: [], received: [], sent: this.#ownSent(), trace: undefined, problem: undefined })
    this.lookNow()
  }

  async setPower(name: string, on: boolean): Promise<void> {
    this.#set({ switching: new Set([...this.#state.switching, name]), problem: undefined })
    await this.#attempt(() => this.#client.setPower(name, on))
    const switching = new Set(this.#state.switching)
    switching.delete(name)
    this.#set({ switching })
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

  /** Reads the server's stream from now on; one that was read before ends. */
  async #watch(): Promise<void> {
    this.#unwatch()
    const abort = new AbortController()
    this.#watching = abort
    const patience = new Patience(SILENT_MS_MAX, () => abort.abort())
    let code = 'unreachable'
    try {
      for await (const item of this.#client.watch(this.#state.selected, abort.signal)) {
        if (this.#watching !== abort) return
        patience.renew()
        this.#retryMs = RETRY_MS_FIRST
        this.#take(item)
      }
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      code = error.detail.code
    } finally {
      patience.end()
      abort.abort()
      if (this.#watching === abort) this.#lost(code === 'unauthorised')
    }
  }

  #unwatch(): void {
    clearTimeout(this.#timer)
    const before = this.#watching
    this.#watching = undefined
    before?.abort()
  }

  #lost(unauthorised: boolean): void {
    this.#watching = undefined
    if (unauthorised) return this.#set({ connection: { state: 'unauthorised' } })
    this.#set({ connection: { state: 'lost', retryAtMs: Date.now() + this.#retryMs } })
    this.#timer = setTimeout(() => this.lookNow(), this.#retryMs)
    this.#retryMs = Math.min(2 * this.#retryMs, RETRY_MS_MAX)
  }

  #take(item: WatchItem): void {
    switch (item.kind) {
      case 'look':
        return this.#takeLook(item.look)
      case 'following':
        return this.#set({ selected: item.node, events: [] })
      case 'event':
        return this.#noteEvent(item.event)
      case 'message':
        return this.#noteMessage(item.message)
    }
  }

  #takeLook({ about, nodes: looks, selected, outbox }: Look): void {
    const before = new Map(this.#state.nodes.map((node) => [node.name, node]))
    // What was not said in time, or by a node that is off, is what was said last.
    const nodes = looks.map((node): ShownNode => ({ ...said(before.get(node.name)), ...node }))
    for (const { name, status } of nodes) if (status !== undefined) this.#ids.set(name, status.node.nodeId)
    const topology = mergeTopology(nodes, this.#ids)
    const flows = this.#measure(topology, nodes)
    this.#set({
      connection: { state: 'live' },
      about,
      nodes,
      topology,
      flows,
      money: this.#money.note(nodes),
      look: this.#state.look + 1,
      selected,
      ...(outbox !== undefined && selected !== undefined ? { sent: merged(this.#state.sent, selected, outbox) } : {}),
    })
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

  #noteEvent(event: NodeEvent): void {
    this.#set({ events: prepend(this.#state.events, event, EVENTS_MAX) })
    if (event.kind === 'message-received')
      this.#set({ received: this.#state.received.map((each) => this.#dated(each)) })
  }

  #noteMessage(message: ReceivedMessage): void {
    const node = this.#state.selected
    if (node === undefined) return
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

/** Ends what the server should have sent something for by now. */
class Patience {
  readonly #ms: number
  readonly #end: () => void
  #timer: ReturnType<typeof setTimeout>

  constructor(ms: number, end: () => void) {
    this.#ms = ms
    this.#end = end
    this.#timer = setTimeout(end, ms)
  }

  renew(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#end, this.#ms)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

/** What a node said of itself. */
function said(node: ShownNode | undefined): Pick<ShownNode, 'status' | 'segment'> {
  const { status, segment } = node ?? {}
  return { ...(status === undefined ? {} : { status }), ...(segment === undefined ? {} : { segment }) }
}

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
