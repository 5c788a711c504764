#!/usr/bin/env node
/** nexus-ping */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { pingCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/ping.ts')])
await main(pingCommand())
