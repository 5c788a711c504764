#!/usr/bin/env node
/** nexus-segment */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { segmentCommand }] = await Promise.all([import('../cli/frame.ts'), import('../segment/command.ts')])
await main(segmentCommand())
