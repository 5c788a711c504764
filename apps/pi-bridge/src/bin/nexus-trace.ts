#!/usr/bin/env node
/** nexus-trace */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { traceCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/trace.ts')])
await main(traceCommand())
