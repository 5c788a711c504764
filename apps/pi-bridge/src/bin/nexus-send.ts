#!/usr/bin/env node
/** nexus-send */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { sendCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/send.ts')])
await main(sendCommand())
