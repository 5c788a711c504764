#!/usr/bin/env node
/** nexus-ledger */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { ledgerCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/ledger.ts')])
await main(ledgerCommand())
