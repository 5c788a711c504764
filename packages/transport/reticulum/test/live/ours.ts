/** A node of ours on the networks of the machine it is started on: answers as the peer program does, and asks when told. */
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { toHex } from '@nexus/codec'
import { autoMedium, startReticulum } from '@nexus/reticulum/node'
import { noise, serveEcho } from './exercise.ts'

const RESOURCE_BYTES = 200_000

const say = (event: string, fields: object = {}) => process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`)

const settings = JSON.parse(process.argv[2] ?? '{}')
const here = await startReticulum({
  media: [autoMedium(settings)],
  onProblem: (problem) => say('problem', { what: String(problem) }),
})
const echo = serveEcho(here)
echo.links.subscribe((link) => {
  link.resources.subscribe(({ data }) => void link.sendResource(data).done.catch(() => {}))
})
const announcing = setInterval(() => echo.announce(), 1_000)
here.node.announces.subscribe(({ hash, hops }) => say('announce', { destination: toHex(hash), hops }))
say('ready', { destination: toHex(echo.hash), listening: [] })

/** A packet and its proof, a link, a request and a resource there and back. */
async function ask(hash: Uint8Array): Promise<{ mtuBytes: number; over: string }> {
  const to = await here.node.resolve(hash, { timeoutMs: 20_000 })
  assert.equal(typeof (await here.node.send(to, noise(200)).proved), 'number', 'the proof of a packet')
  const link = await here.node.connect(to, { resources: 'all', timeoutMs: 15_000 })
  const back = link.packets.first()
  link.send(noise(link.mduBytes))
  assert.deepEqual(await back, noise(link.mduBytes))
  assert.deepEqual(await link.request('/echo', noise(5_000), { timeoutMs: 20_000 }), noise(5_000))
  const resource = link.resources.first()
  await link.sendResource(noise(RESOURCE_BYTES)).done
  assert.equal(Buffer.compare((await resource).data, noise(RESOURCE_BYTES)), 0, 'a resource came back')
  link.close()
  return { mtuBytes: link.mtuBytes, over: link.iface.name }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { hash } = JSON.parse(line)
  try {
    say('asked', await ask(Uint8Array.from(Buffer.from(hash, 'hex'))))
  } catch (error) {
    say('failed', { why: String((error as Error).stack) })
  }
}
clearInterval(announcing)
await here.stop()
