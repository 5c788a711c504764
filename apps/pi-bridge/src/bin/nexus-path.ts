#!/usr/bin/env node
/** nexus-path */
import { main } from '../cli/frame.ts'
import { pathCommand } from '../commands/path.ts'

await main(pathCommand())
