import type { Admission, SegmentEvent } from '@nexus/anchor-truth'
import { bootFile, type MemberFound, passphraseKey, SegmentDriver } from '@nexus/anchor-truth/node'
import type { Crypto } from '@nexus/crypto'
import type { Identity } from '@nexus/identity'
import type { SegmentReport } from '@nexus/node/api'
import { CommandFailure } from '../cli/failure.ts'
import { readSecretFile } from '../cli/secrets.ts'
import { reportOf } from './report.ts'
import type { SegmentSettings } from './settings.ts'
import { zoneNames } from './zones.ts'

export interface SegmentTold {
  event(interfaceName: string, event: SegmentEvent): void
  member(found: MemberFound): void
  problem(interfaceName: string, error: Error): void
}

export interface SegmentParts {
  readonly crypto: Crypto
  readonly identity: Identity
  /** File of the boot counter. */
  readonly bootPath: string
}

/** A driver of these settings, not yet started, and what it reports. @throws {CommandFailure} */
export function segmentDriver(
  settings: SegmentSettings,
  { crypto, identity, bootPath }: SegmentParts,
  told: SegmentTold,
): { readonly driver: SegmentDriver; readonly report: () => SegmentReport } {
  const { ego, type, zone, name, port, interfaces } = settings
  try {
    const driver = new SegmentDriver(
      {
        ...{ crypto, identity, ego, type, zone, name, port, admission: admissionOf(settings) },
        nextBoot: bootFile(bootPath),
        ...(interfaces === undefined ? {} : { interfaces }),
      },
      told,
    )
    const zones = zoneNames(zone)
    const self = { nodeId: identity.nodeId, name, type, zone }
    return { driver, report: () => reportOf(self, driver.status(), zones) }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const message = `the segment cannot be: ${error.message}`
    throw new CommandFailure({ exit: 'config', code: 'config-invalid', message, next: 'docs/guides/segment.md' })
  }
}

function admissionOf({ admission, passphraseFile, allow }: SegmentSettings): Admission {
  if (admission === 'passphrase' && passphraseFile !== undefined) {
    return { mode: 'passphrase', key: passphraseKey(readSecretFile(passphraseFile)) }
  }
  if (admission !== 'allow-list') return { mode: 'open' }
  const egos = Object.entries(allow ?? {}).map(([key, ego]) => [key, ego === 'any' ? undefined : ego] as const)
  return { mode: 'allow-list', egos: new Map(egos) }
}
