#!/usr/bin/env node
/** nexus-verify */
import { runVerify } from '../node/cli/verify.ts'

process.exitCode = await runVerify(process.argv.slice(2))
