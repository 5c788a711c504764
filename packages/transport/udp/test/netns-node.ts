// Runs inside a network namespace: one UDP transport, told what to do by lines on stdin, telling what happens on stdout.
import { createInterface } from 'node:readline'
import type { Interface } from '@nexus/transport'
import { udpTransport } from '../src/index.ts'

const [label = '', optionsText = '{}'] = process.argv.slice(2)
const options = JSON.parse(optionsText)
const say = (event: object) => process.stdout.write(`${JSON.stringify({ atMs: Date.now(), ...event })}\n`)
const transport = udpTransport(options)
let iface: Interface | undefined
const greeting = () => iface?.send(new TextEncoder().encode(`hello from ${label}`))

await transport.start({
  up(opened) {
    iface = opened
    say({ event: 'up' })
  },
  down: () => say({ event: 'down' }),
  frame: (_iface, frame, from) => say({ event: 'frame', text: new TextDecoder().decode(frame), from }),
  reachChanged() {
    say({ event: 'reachChanged' })
    greeting()
  },
  drain: () => say({ event: 'drain' }),
  problem: (error) => say({ event: 'problem', text: error.message }),
})

/** Far more than any cable, socket buffer and queue hold, however slowly this process runs. */
const FLOOD_FRAMES_MAX = 200_000

createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, to] = line.split(' ')
  if (command === 'greet') greeting()
  else if (command === 'answer') iface?.send(new TextEncoder().encode(`answer from ${label}`), to)
  else if (command === 'flood') {
    const frame = new Uint8Array(1_200)
    let taken = 0
    let queuedMost = 0
    while (taken < FLOOD_FRAMES_MAX && iface?.send(frame, to)) {
      taken++
      queuedMost = Math.max(queuedMost, iface.queuedBytes)
    }
    say({ event: 'flooded', taken, queuedMost })
  } else if (command === 'stop') void transport.stop().then(() => process.exit(0))
})
