#!/usr/bin/env node
/** nexus-listen */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { listenCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/listen.ts')])
await main(listenCommand())
