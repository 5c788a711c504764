import { z } from 'zod'

const count = z.number().int().nonnegative()

/** 0 clear, 1 moderate, 2 severe, 3 saturated (docs/spec/congestion.md). */
export const severitySchema = z.number().int().min(0).max(3)

/** How a medium fares. */
export const interfaceCongestionSchema = z.object({
  /** Bit/s that it was measured to carry while packets waited; the nominal rate at first. */
  measuredBps: z.number().positive(),
  /** The worst of its links. */
  severity: severitySchema,
  /** Frames that medium access gave up. */
  gaveUp: count,
})

/** How the queue to a neighbour stands. */
export const linkCongestionSchema = z.object({
  queuedBytes: count,
  queuedPackets: count,
  /** The worse of what its queue here has come to and what it asked for. */
  severity: severitySchema,
  /** What this neighbour was told last about the queues that it feeds. */
  told: severitySchema,
  /** Packets for it that were given up, by reason. */
  dropped: z.object({ expired: count, full: count }),
})
