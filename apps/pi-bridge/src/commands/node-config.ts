import { stringify } from 'smol-toml'
import { EXIT } from '../cli/exit-codes.ts'
import type { Context } from '../cli/frame.ts'
import { loadWithFlags } from '../config/from-flags.ts'

type Flags = Readonly<Record<string, unknown>>

/** `nexus-node config check` */
export async function checkConfig({ global, flags, out }: Context<Flags>): Promise<number> {
  const { file, warnings, config } = loadWithFlags(global, flags)
  // What only a transport can judge: that a name is an address, that a radio takes the setting.
  const { transportsOf } = await import('../run/transports.ts')
  transportsOf(config.interfaces)
  out.json({ schema: 'nexus-config-check/1', ok: true, file: file ?? null, warnings })
  for (const warning of warnings) out.print(`warning: ${warning}`)
  out.print(file === undefined ? 'no configuration file: all settings are as usual' : `${file} is right`)
  return EXIT.ok
}

/** `nexus-node config show` */
export function showConfig({ global, flags, out }: Context<Flags>): number {
  const { config, file } = loadWithFlags(global, flags)
  out.json(config)
  out.say(`# ${file ?? 'no configuration file'}`)
  out.print(stringify(structuredClone(config) as never).trimEnd())
  return EXIT.ok
}
