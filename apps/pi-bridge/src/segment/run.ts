import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Crypto, systemRandom, wipe } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { writePlainIdentityFile } from '@nexus/identity/node'
import { openIdentity } from '../run/identity.ts'
import { lockState } from '../run/state-lock.ts'
import { serveReports } from './control.ts'
import { type SegmentTold, segmentDriver } from './driver.ts'
import type { SegmentSettings } from './settings.ts'

export interface RunningSegment {
  readonly nodeId: Uint8Array
  stop(): Promise<void>
}

/** Where a running node tells of itself. */
export function segmentSocket(stateDir: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\nexus-segment-${process.env['USERNAME']}`
    : join(stateDir, 'segment.sock')
}

/** Runs a node on all its segments. A node that never ran makes its identity first. @throws {CommandFailure} */
export async function runSegment(
  settings: SegmentSettings,
  told: SegmentTold & { warn(text: string): void },
): Promise<RunningSegment> {
  const { stateDir } = settings
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const lock = lockState(stateDir)
  try {
    const crypto = await nodeCrypto()
    const file = join(stateDir, 'identity')
    if (!existsSync(file)) makeIdentity(crypto, file)
    const identity = await openIdentity(crypto, file, {}, { stateDir, warn: told.warn })
    const { driver, report } = segmentDriver(settings, { crypto, identity, bootPath: join(stateDir, 'boot') }, told)
    const server = await serveReports(segmentSocket(stateDir), report)
    driver.start()
    return {
      nodeId: identity.nodeId,
      async stop() {
        driver.stop()
        await server.close()
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

function makeIdentity(crypto: Crypto, file: string): void {
  const seed = systemRandom(32)
  writePlainIdentityFile(crypto, file, seed)
  wipe(seed)
}
