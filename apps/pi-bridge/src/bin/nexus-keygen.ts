#!/usr/bin/env node
/** nexus-keygen */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { keygenCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/keygen.ts')])
await main(keygenCommand())
