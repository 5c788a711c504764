#!/usr/bin/env node
/** nexus-listen */
import { main } from '../cli/frame.ts'
import { listenCommand } from '../commands/listen.ts'

await main(listenCommand())
