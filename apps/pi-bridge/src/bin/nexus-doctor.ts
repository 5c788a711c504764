#!/usr/bin/env node
/** nexus-doctor */
import { main } from '../cli/frame.ts'
import { doctorCommand } from '../commands/doctor.ts'

await main(doctorCommand())
