import type { MessageStatus, Status } from '@nexus/node/api'
import type { SupervisedNode } from './supervised.ts'
import { serveKeys } from './terminal-keys.ts'

/** Serves the terminal's keys until `signal` aborts or q is pressed; without a terminal it only waits. */
export async function runKeys(
  nodes: readonly SupervisedNode[],
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const names = nodes.map(({ name }) => name).join(', ')
  const help = `1–${nodes.length} unplug or plug ${names} · m send a message · t traffic · s status`
  await serveKeys(help, (key) => act(key, nodes, say), say, signal)
}

async function act(key: string, nodes: readonly SupervisedNode[], say: (text: string) => void): Promise<void> {
  const node = nodes[Number(key) - 1]
  if (node !== undefined) {
    const on = !node.isOn
    say(on ? `plugging ${node.name} in …` : `${node.name} is unplugged`)
    await node.setPower(on)
    if (on) say(`${node.name} is back`)
  } else if (key === 'm') await sendOne(nodes, say)
  else if (key === 't') {
    const on = !nodes.every(({ hasTraffic }) => hasTraffic)
    for (const each of nodes) each.setTraffic(on)
    say(`traffic between the nodes is ${on ? 'on' : 'off'}`)
  } else if (key === 's') for (const each of nodes) say(await line(each))
}

/** Sends a message between the two ends of the mesh that are on, and tells how it fares. */
async function sendOne(nodes: readonly SupervisedNode[], say: (text: string) => void): Promise<void> {
  const on = nodes.filter((node) => node.api() !== undefined)
  const [from, to] = [on[0], on.at(-1)]
  const api = from?.api()
  if (from === undefined || to === undefined || api === undefined || from === to) return say('two nodes must be on')
  const receiver = await to.api()?.call('status', { routesMax: 0 })
  if (receiver === undefined) return say(`${to.name} is off`)
  const text = `Hello from ${from.name} at ${new Date().toLocaleTimeString()}`
  let status: MessageStatus = await api.call('send', { to: receiver.node.nodeId, text })
  say(`${from.name} → ${to.name}: "${text}"`)
  for (let told = ''; ; ) {
    if (status.state !== told) say(`  ${status.state}${status.next === undefined ? '' : `: ${status.next}`}`)
    told = status.state
    if (told === 'delivered' || told === 'failed') return
    await new Promise((resolve) => setTimeout(resolve, 200))
    status = await api.call('message', { id: status.id })
  }
}

async function line(node: SupervisedNode): Promise<string> {
  const status: Status | undefined = await node.api()?.call('status', {})
  if (status === undefined) return `  ${node.name.padEnd(8)} off`
  const links = status.links.map((link) => link.label ?? link.peer.slice(0, 8)).join(', ')
  const { economy } = status
  const wins = economy?.lottery.reduce((sum, neighbour) => sum + neighbour.wins, 0)
  const money = economy === undefined ? '' : ` · wins: ${wins} · balance: ${Number(economy.balanceMicro) / 1e6} NXS`
  return `  ${node.name.padEnd(8)} links: ${links || 'none'} · routes: ${status.routesTotal}${money}`
}
