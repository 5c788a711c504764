#!/usr/bin/env node
/** nexus-peer */
import { fastStart } from '../cli/fast-start.ts'

fastStart()
const [{ main }, { peerCommand }] = await Promise.all([import('../cli/frame.ts'), import('../commands/peer.ts')])
await main(peerCommand())
