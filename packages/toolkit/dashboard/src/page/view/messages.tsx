import type { MessageStatus } from '@nexus/node/api'
import { useState } from 'preact/hooks'
import { clock, duration, nameOf } from '../model/format.ts'
import type { ShownNode } from '../model/topology.ts'
import type { PageState, Received, SentMessage } from '../state.ts'
import type { Watcher } from '../watcher.ts'
import { Card, Empty } from './parts.tsx'

const TEXT_MAX = 8_000
const SHOWN_MAX = 30

interface MessagesProps {
  readonly state: PageState
  readonly node: ShownNode
  readonly watcher: Watcher
}

/** Sending from the node that is looked at, and what it has sent and received. */
export function MessagesCard({ state, node, watcher }: MessagesProps) {
  const { name, running } = node
  const sent = state.sent.filter(({ from }) => from === name)
  const list = [...sent, ...state.received].sort((a, b) => (timeOf(a) < timeOf(b) ? 1 : -1))
  const markRead = state.received.length > 0 && running && (
    <button type="button" class="quiet" onClick={() => void watcher.takeAll()}>
      Mark all as read
    </button>
  )
  return (
    <Card id="messages" title={`Messages of ${name}`} aside={markRead}>
      <Composer state={state} node={node} watcher={watcher} />
      <p class="latest" role="status">
        {sent[0]?.at === undefined ? '' : `To ${nameFor(state, sent[0].status.to)}: ${describeState(sent[0].status)}`}
      </p>
      {list.length === 0 ? (
        <Empty>
          Nothing sent or received yet. Messages are end-to-end encrypted; only their receiver can read them.
        </Empty>
      ) : (
        <ol class="messages">
          {list
            .slice(0, SHOWN_MAX)
            .map((item) =>
              item.kind === 'sent' ? (
                <SentItem key={`s${item.status.id}`} item={item} to={nameFor(state, item.status.to)} />
              ) : (
                <ReceivedItem key={`r${item.message.key}`} item={item} />
              ),
            )}
        </ol>
      )}
    </Card>
  )
}

function Composer({ state, node, watcher }: MessagesProps) {
  const [to, setTo] = useState('')
  const [text, setText] = useState('')
  const [sending, setSending] = useState(false)
  const destinations = destinationsOf(state, node)
  // Where all nodes are the reader's own, the farthest one is a good guess; elsewhere there is none.
  const suggested = state.nodes.length > 1 ? (destinations.at(-1)?.name ?? '') : ''
  const target = to.trim() === '' ? suggested : to.trim()
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    if (text === '' || target === '' || sending) return
    setSending(true)
    const nodeId = destinations.find(({ name }) => name === target)?.nodeId ?? target
    if (await watcher.send(nodeId, text)) setText('')
    setSending(false)
  }
  return (
    <form class="composer" onSubmit={(event) => void submit(event)}>
      <label>
        <span class="field-name">To</span>
        <input
          name="to"
          list="destinations"
          value={to}
          placeholder={suggested || 'name or NodeID'}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={(event) => setTo(event.currentTarget.value)}
        />
      </label>
      <datalist id="destinations">
        {destinations.map(({ name, nodeId }) => (
          <option key={nodeId} value={name} />
        ))}
      </datalist>
      <label class="wide">
        <span class="field-name">Message</span>
        <input
          name="text"
          value={text}
          maxLength={TEXT_MAX}
          placeholder={`Hello from ${node.name}`}
          autocomplete="off"
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="primary" disabled={!node.running || sending || text === '' || target === ''}>
        Send
      </button>
    </form>
  )
}

function SentItem({ item: { status, text, at }, to }: { item: SentMessage; to: string }) {
  return (
    <li class="message out">
      <p class="message-head">
        <b>to {to}</b>
        <span class={`state ${status.state}`}>{status.state}</span>
        {at !== undefined && <time dateTime={at}>{clock(at)}</time>}
      </p>
      <p class={text === undefined ? 'message-body muted' : 'message-body'}>
        {text ?? 'Sent by other means; its text is not kept.'}
      </p>
      {status.state !== 'delivered' && <p class="muted small">{explainState(status)}</p>}
    </li>
  )
}

function ReceivedItem({ item: { message } }: { item: Received }) {
  const { from, fromLabel, text, bodyHex, receivedAt } = message
  return (
    <li class="message in">
      <p class="message-head">
        <b>from {from === null ? 'an anonymous sender' : nameOf(from, fromLabel)}</b>
        <time dateTime={receivedAt}>{clock(receivedAt)}</time>
      </p>
      <p class="message-body">{text ?? <code>{bodyHex.slice(0, 256)}</code>}</p>
    </li>
  )
}

function describeState(status: MessageStatus): string {
  return status.state === 'delivered' ? 'delivered' : `${status.state}. ${explainState(status)}`
}

/** What a state that is not the good end means, and what to do. */
function explainState({ state, reason, next, attempts, expiresInMs }: MessageStatus): string {
  if (state === 'failed') return [reason, next].filter((part) => part !== undefined).join(': ')
  const wait = `gives up in ${duration(expiresInMs)}`
  if (state === 'queued') return `Waits for a way to the receiver; ${wait}.`
  return `On its way, no receipt yet${attempts > 1 ? ` after ${attempts} tries` : ''}; ${wait}.`
}

interface Destination {
  readonly name: string
  readonly nodeId: string
}

/** Nodes that one can write to: those shown, and those that the node has a route to. */
function destinationsOf(state: PageState, { status, name: self }: ShownNode): Destination[] {
  const found = new Map<string, string>()
  for (const { destination, label } of status?.routes ?? []) found.set(destination, nameOf(destination, label))
  for (const { key, shown, name } of state.topology.vertices.values()) {
    if (shown && !key.startsWith('name:')) found.set(key, name)
  }
  const all = [...found].map(([nodeId, name]) => ({ name, nodeId }))
  const order = new Map(state.nodes.map(({ name }, at) => [name, at]))
  return all
    .filter(({ name, nodeId }) => name !== self && nodeId !== status?.node.nodeId)
    .sort((a, b) => (order.get(a.name) ?? -1) - (order.get(b.name) ?? -1))
}

function nameFor(state: PageState, nodeId: string): string {
  return state.topology.vertices.get(nodeId)?.name ?? nodeId.slice(0, 8)
}

const timeOf = (item: SentMessage | Received): string =>
  item.kind === 'sent' ? (item.at ?? '') : item.message.receivedAt
