#!/usr/bin/env node
/** nexus-doctor */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { doctorCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/doctor.ts')])
await main(doctorCommand())
