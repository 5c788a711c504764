#!/usr/bin/env node
/** nexus-node */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { nodeCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/node.ts')])
await main(nodeCommand())
