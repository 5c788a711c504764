#!/usr/bin/env node
/** nexus-segment */
import { main } from '../cli/frame.ts'
import { segmentCommand } from '../segment/command.ts'

await main(segmentCommand())
