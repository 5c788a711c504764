#!/usr/bin/env node
/** nexus-rns */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { rnsCommand }] = await Promise.all([import('../cli/frame.ts'), import('../rns/command.ts')])
await main(rnsCommand())
