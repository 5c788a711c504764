import type { Crypto } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { ed25519Signer } from '@nexus/sentry/client'
import { type Command, Option } from 'commander'
import type { GlobalFlags } from '../cli/frame.ts'
import { createClient, type GatewayClient } from '../client.ts'
import { type Loaded, loadConfig } from '../config/load.ts'
import { SETTINGS } from '../config/schema.ts'
import { readSeed } from '../run/keys.ts'
import { running } from '../run/state.ts'

/** Flags of commands that ask a gateway as somebody. */
export interface ClientFlags {
  readonly key: string
  readonly keyPassphraseFile?: string
  readonly gateway?: string
}

export function addClientOptions(command: Command): Command {
  return command
    .addOption(new Option('--key <file>', 'identity file of who asks').env('NEXUS_GATEWAY_KEY').makeOptionMandatory())
    .addOption(
      new Option('--key-passphrase-file <file>', 'file with its passphrase').env('NEXUS_GATEWAY_KEY_PASSPHRASE_FILE'),
    )
    .addOption(
      new Option('--gateway <origin>', 'the gateway; that of the configuration if not given').env('NEXUS_GATEWAY_URL'),
    )
}

/** Adds the settings that flags may set. */
export function addSettings(command: Command): Command {
  for (const { flag, env, about } of SETTINGS) command.addOption(new Option(`${flag} <value>`, `${about} [${env}]`))
  return command
}

export function configOf(global: GlobalFlags, flags: object = {}): Loaded {
  return loadConfig({ file: global.config, env: process.env, flags: { ...flags } })
}

/** Who asks, with a way to the gateway: on this machine straight to it, whatever its public origin is. */
export async function clientOf(
  global: GlobalFlags,
  flags: ClientFlags,
): Promise<{ crypto: Crypto; client: GatewayClient; seed: Uint8Array }> {
  const crypto = await nodeCrypto()
  const seed = readSeed(crypto, { file: flags.key, passphraseFile: flags.keyPassphraseFile, plainAllowed: true })
  const signer = ed25519Signer(crypto, seed)
  if (flags.gateway !== undefined)
    return { crypto, seed, client: createClient({ crypto, signer, origin: flags.gateway }) }
  const config = configOf(global)
  const found = await running(config.stateDir)
  const origin = found?.state.origin ?? config.origin
  return { crypto, seed, client: createClient({ crypto, signer, origin, connect: found?.state.listen ?? origin }) }
}
