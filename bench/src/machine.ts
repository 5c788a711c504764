import { cpus, loadavg, platform, release } from 'node:os'

/** Where a run took place. */
export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly platform: string
  readonly node: string
  readonly openssl: string
  /** Of one, five and fifteen minutes, as the run began. */
  readonly load: readonly number[]
  readonly reticulum?: string
}

export function describeMachine(reticulum: string | undefined): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    platform: `${platform()} ${release()}`,
    node: process.version,
    openssl: process.versions.openssl,
    load: loadavg().map((load) => Number(load.toFixed(1))),
    ...(reticulum === undefined ? {} : { reticulum }),
  }
}
