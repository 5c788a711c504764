import { z } from 'zod'

/** Settings that several kinds of interface have. */

export const port = z.number().int().min(0).max(65_535)
export const address = z
  .string()
  .regex(/^(\[[^\]]+\]|[^\s:[\]/?#@]+):\d{1,5}$/, 'expected host:port, IPv6 hosts in brackets')
export const dutyCycle = z
  .number()
  .positive()
  .max(1)
  .optional()
  .describe('share of time that may be sent; radio law decides')
export const device = z
  .string()
  .min(1)
  .describe('device of the port: /dev/ttyUSB0, or better /dev/serial/by-id/…, or COM3')
export const listenHost = z.string().optional().describe('address to listen on; all, if not given')

/** A KISS radio modem. */
export const tncSchema = z.strictObject({
  bitrateBps: z.number().positive().describe('of the radio'),
  dutyCycle,
  preambleMs: z.number().min(0).max(2_550).default(350),
  txTailMs: z.number().min(0).max(2_550).default(20),
  persistence: z.number().int().min(0).max(255).default(64),
  slotTimeMs: z.number().min(0).max(2_550).default(20),
})

/** The radio of an RNode. */
export const radioSettings = {
  frequencyHz: z.number().int().min(137_000_000).max(3_000_000_000).default(868_100_000),
  bandwidthHz: z.number().int().min(7_800).max(1_625_000).default(125_000),
  txPowerDbm: z.number().int().min(0).max(37).default(14).describe('the law of the place limits it'),
  spreadingFactor: z.number().int().min(5).max(12).default(7),
  codingRate: z.number().int().min(5).max(8).default(5).describe('denominator of 4/5 to 4/8'),
  dutyCycle: dutyCycle.default(0.01),
}
