#!/usr/bin/env node
/** nexus-trace */
import { main } from '../cli/frame.ts'
import { traceCommand } from '../commands/trace.ts'

await main(traceCommand())
