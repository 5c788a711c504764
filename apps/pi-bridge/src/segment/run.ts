import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Admission, SegmentEvent } from '@nexus/anchor-truth'
import { addressText, bootFile, type MemberFound, passphraseKey, SegmentDriver } from '@nexus/anchor-truth/node'
import { type Crypto, systemRandom, wipe } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { writePlainIdentityFile } from '@nexus/identity/node'
import { readSecretFile } from '../cli/secrets.ts'
import { openIdentity } from '../run/identity.ts'
import { lockState } from '../run/state-lock.ts'
import { serveReports } from './control.ts'
import { type SegmentSettings, zoneNames } from './settings.ts'
import { reportOf, type SegmentReport } from './status.ts'

export interface SegmentPortsOfRun {
  event(interfaceName: string, event: SegmentEvent): void
  member(found: MemberFound): void
  problem(interfaceName: string, error: Error): void
  warn(text: string): void
}

export interface RunningSegment {
  readonly nodeId: Uint8Array
  report(): SegmentReport
  stop(): Promise<void>
}

/** Where a running node tells of itself. */
export function segmentSocket(stateDir: string): string {
  return process.platform === 'win32'
    ? `\\\\.\\pipe\\nexus-segment-${process.env['USERNAME']}`
    : join(stateDir, 'segment.sock')
}

/** Runs a node on all its segments. A node that never ran makes its identity first. @throws {CommandFailure} */
export async function runSegment(settings: SegmentSettings, ports: SegmentPortsOfRun): Promise<RunningSegment> {
  const { stateDir } = settings
  mkdirSync(stateDir, { recursive: true, mode: 0o700 })
  const lock = lockState(stateDir)
  try {
    const crypto = await nodeCrypto()
    const file = join(stateDir, 'identity')
    if (!existsSync(file)) makeIdentity(crypto, file)
    const identity = await openIdentity(crypto, file, {}, ports.warn)
    const { ego, type, zone, name, port, interfaces } = settings
    const driver = new SegmentDriver(
      {
        ...{ crypto, identity, ego, type, zone, name, port, admission: admissionOf(settings) },
        nextBoot: bootFile(join(stateDir, 'boot')),
        ...(interfaces === undefined ? {} : { interfaces }),
      },
      ports,
    )
    const zones = zoneNames(zone)
    const report = (): SegmentReport => reportOf({ nodeId: identity.nodeId, name }, driver.status(), zones, addressText)
    const server = await serveReports(segmentSocket(stateDir), report)
    driver.start()
    return {
      nodeId: identity.nodeId,
      report,
      async stop() {
        driver.stop()
        await new Promise<void>((resolve) => {
          server.close(() => resolve())
          // Those who watch would keep it open.
          server.unref()
          resolve()
        })
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

function admissionOf({ admission, passphraseFile, allow }: SegmentSettings): Admission {
  if (admission === 'passphrase' && passphraseFile !== undefined) {
    return { mode: 'passphrase', key: passphraseKey(readSecretFile(passphraseFile)) }
  }
  if (admission !== 'allow-list') return { mode: 'open' }
  const egos = Object.entries(allow ?? {}).map(([key, ego]) => [key, ego === 'any' ? undefined : ego] as const)
  return { mode: 'allow-list', egos: new Map(egos) }
}
