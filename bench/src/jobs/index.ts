import type { Job } from '../job.ts'
import { announces } from './announces.ts'
import { channelUpdates } from './channels.ts'
import { forwardQueued, forwardTcp, forwardUdp } from './forward.ts'
import { handshakes } from './handshakes.ts'
import { ledgerMemory, ledgerMerge, settlements } from './ledger.ts'
import { lotteryChecks, lotteryDraws, lotteryProofs } from './lottery.ts'
import { idleMemory, routeMemory } from './memory.ts'
import { messages } from './messages.ts'
import { primitives } from './primitives.ts'
import { receive } from './receive.ts'
import { rnsAnnounces, rnsMemory, rnsReceive, rnsRelay, rnsResource, rnsResourceLarge } from './reticulum.ts'
import { start } from './start.ts'
import { transfer } from './transfer.ts'

/** Everything that is measured, in the order of the report. */
export const JOBS: readonly Job[] = [
  forwardTcp,
  forwardUdp,
  forwardQueued,
  receive,
  messages,
  transfer,
  announces,
  handshakes,
  settlements,
  ledgerMerge,
  ledgerMemory,
  lotteryProofs,
  lotteryChecks,
  lotteryDraws,
  channelUpdates,
  start,
  idleMemory,
  routeMemory,
  rnsAnnounces,
  rnsRelay,
  rnsReceive,
  rnsResource,
  rnsResourceLarge,
  rnsMemory,
  ...primitives,
]
