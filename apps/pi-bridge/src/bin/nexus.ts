#!/usr/bin/env node
/** nexus: every command as a subcommand. */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { umbrellaCommand }] = await Promise.all([
  import('../cli/frame.ts'),
  import('../commands/programs.ts'),
])
await main(umbrellaCommand())
