#!/usr/bin/env node
/** nexus-peer */
import { main } from '../cli/frame.ts'
import { peerCommand } from '../commands/peer.ts'

await main(peerCommand())
