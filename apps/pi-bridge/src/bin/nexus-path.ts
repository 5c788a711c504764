#!/usr/bin/env node
/** nexus-path */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { pathCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/path.ts')])
await main(pathCommand())
