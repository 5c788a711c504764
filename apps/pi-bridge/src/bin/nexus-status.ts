#!/usr/bin/env node
/** nexus-status */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { statusCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/status.ts')])
await main(statusCommand())
