#!/usr/bin/env node
/** nexus-keygen */
import { main } from '../cli/frame.ts'
import { keygenCommand } from '../commands/keygen.ts'

await main(keygenCommand())
