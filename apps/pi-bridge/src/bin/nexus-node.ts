#!/usr/bin/env node
/** nexus-node */
import { main } from '../cli/frame.ts'
import { nodeCommand } from '../commands/node.ts'

await main(nodeCommand())
