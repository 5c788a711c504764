#!/usr/bin/env node
/** nexus: every command as a subcommand. */
import { main } from '../cli/frame.ts'
import { umbrellaCommand } from '../commands/programs.ts'

await main(umbrellaCommand())
