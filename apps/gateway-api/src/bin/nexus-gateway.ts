#!/usr/bin/env node
/** nexus-gateway */
import { main } from '../cli/frame.ts'
import { gatewayProgram } from '../commands/program.ts'

await main(gatewayProgram())
