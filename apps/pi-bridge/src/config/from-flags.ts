import type { GlobalFlags } from '../cli/frame.ts'
import { type Loaded, loadConfig, valueFrom } from './load.ts'
import { SETTINGS, type Setting } from './settings.ts'

/** The configuration as the flags of `nexus-node start` change it. @throws {import('../cli/failure.ts').CommandFailure} */
export function loadWithFlags(global: GlobalFlags, flags: Readonly<Record<string, unknown>>): Loaded {
  const values = new Map<string, unknown>()
  for (const setting of SETTINGS) {
    const given = flagOf(setting, flags)
    if (given !== undefined) values.set(setting.key, typeof given === 'string' ? valueFrom(setting, given) : given)
  }
  if (global.socket !== undefined) values.set('socket', global.socket)
  return loadConfig({ file: global.config, env: process.env, flags: values })
}

/** The name under which commander keeps a flag: `--page-port` as pagePort. */
function flagOf(setting: Setting, flags: Readonly<Record<string, unknown>>): unknown {
  if (setting.kind === 'interfaces') return flags['interface']
  return flags[setting.flag.slice(2).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())]
}
