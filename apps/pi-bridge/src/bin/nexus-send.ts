#!/usr/bin/env node
/** nexus-send */
import { main } from '../cli/frame.ts'
import { sendCommand } from '../commands/send.ts'

await main(sendCommand())
