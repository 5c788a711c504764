#!/usr/bin/env node
/** nexus-deploy */
import { runDeploy } from '../node/cli/deploy.ts'

process.exitCode = await runDeploy(process.argv.slice(2))
