#!/usr/bin/env node
/** nexus-ping */
import { main } from '../cli/frame.ts'
import { pingCommand } from '../commands/ping.ts'

await main(pingCommand())
