#!/usr/bin/env node
/** nexus-status */
import { main } from '../cli/frame.ts'
import { statusCommand } from '../commands/status.ts'

await main(statusCommand())
