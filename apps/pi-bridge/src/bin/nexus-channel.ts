#!/usr/bin/env node
/** nexus-channel */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { channelCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/channel.ts')])
await main(channelCommand())
