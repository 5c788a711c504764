import { existsSync, mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fromHex, toHex } from '@nexus/codec'
import { systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import { nodeIdOf } from '@nexus/identity'
import { writeIdentityFile, writePlainIdentityFile } from '@nexus/identity/node'
import { ANY_ACCOUNT, didKey, ROLES, type Role, signGrant } from '@nexus/sentry'
import { Command } from 'commander'
import { CommandFailure } from '../cli/failure.ts'
import { action } from '../cli/frame.ts'
import { firstLine, readSeed } from '../run/keys.ts'
import { running } from '../run/state.ts'
import { addClientOptions, type ClientFlags, clientOf, configOf } from './options.ts'

interface KeyFlags {
  readonly file?: string
  readonly passphraseFile?: string
  readonly plain?: boolean
}

export function keyCommand(): Command {
  const key = new Command('key').description('keys: of the gateway, and of those who ask it')
  key
    .command('create')
    .description('make a key; that of the gateway if no file is named')
    .option('--file <file>', 'where to')
    .option('--passphrase-file <file>', 'seal it under the first line of this file')
    .option('--plain', 'leave it unsealed: for machines that start without a person')
    .action(
      action<KeyFlags>(async ({ out, global, flags }) => {
        const crypto = await nodeCrypto()
        const file = resolve(flags.file ?? configOf(global).identity.file)
        if ((flags.passphraseFile === undefined) === (flags.plain !== true)) {
          throw new CommandFailure({ exit: 'usage', code: 'key-form', message: 'give --passphrase-file or --plain' })
        }
        if (existsSync(file))
          throw new CommandFailure({ exit: 'config', code: 'key-exists', message: `${file} exists` })
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
        const seed = systemRandom(32)
        if (flags.passphraseFile === undefined) writePlainIdentityFile(crypto, file, seed)
        else writeIdentityFile(crypto, file, seed, { passphrase: firstLine(flags.passphraseFile) })
        const publicKey = crypto.publicKey(seed)
        out.data({ file, did: didKey(publicKey), publicKey: toHex(publicKey) }, `${didKey(publicKey)}\nin ${file}`)
      }),
    )
  key
    .command('show')
    .description('the identity of a key; that of the gateway if no file is named')
    .option('--file <file>', 'which')
    .option('--passphrase-file <file>', 'file with its passphrase')
    .action(
      action<KeyFlags>(async ({ out, global, flags }) => {
        const crypto = await nodeCrypto()
        const place =
          flags.file === undefined
            ? { ...configOf(global).identity, plainAllowed: true }
            : { file: flags.file, passphraseFile: flags.passphraseFile, plainAllowed: true }
        const publicKey = crypto.publicKey(readSeed(crypto, place))
        const facts = {
          did: didKey(publicKey),
          publicKey: toHex(publicKey),
          nodeId: toHex(nodeIdOf(crypto, publicKey)),
        }
        out.data(facts, `did         ${facts.did}\npublic key  ${facts.publicKey}\nNodeID      ${facts.nodeId}`)
      }),
    )
  return key
}

interface GrantFlags extends ClientFlags {
  readonly account?: string
  readonly until?: string
  readonly gatewayKey?: string
}

export function grantCommand(): Command {
  const grant = new Command('grant').description('who may do what')
  gatewayKeyOption(addClientOptions(grant.command('add')))
    .description(`grant a role: ${Object.keys(ROLES).join(', ')}`)
    .argument('<identity>', 'who holds it')
    .argument('<role>')
    .option('--account <did>', `of an app: the account, or ${ANY_ACCOUNT} for all`)
    .option('--until <time>', 'ISO 8601; without end if not given')
    .action(
      action<GrantFlags>(async ({ out, global, flags }, subject, role) => {
        const known = ROLES[role as Role]
        const untilMs = flags.until === undefined ? undefined : Date.parse(flags.until)
        if (known === undefined || Number.isNaN(untilMs) || known.perAccount !== (flags.account !== undefined)) {
          const message = 'owner and app are held for an --account, the other roles are not; --until is a time'
          throw new CommandFailure({ exit: 'usage', code: 'grant', message })
        }
        const id = systemRandom(16)
        const what = {
          kind: 'grant' as const,
          id,
          subject: subject!,
          role: role as Role,
          ...(flags.account !== undefined && { account: flags.account }),
          ...(untilMs !== undefined && { untilMs }),
        }
        await submit(global, flags, what)
        out.data({ ...what, id: toHex(id) }, `${subject} is ${role}: grant ${toHex(id)}`)
      }),
    )
  gatewayKeyOption(addClientOptions(grant.command('revoke')))
    .description('take a grant back, at once and in every gateway of the ledger')
    .argument('<id>', 'of the grant')
    .action(
      action<GrantFlags>(async ({ out, global, flags }, id) => {
        if (!/^[0-9a-f]{32}$/.test(id!))
          throw new CommandFailure({ exit: 'usage', code: 'grant', message: 'an id has 32 hexadecimal digits' })
        await submit(global, flags, { kind: 'revocation', id: fromHex(id!) })
        out.data({ id, kind: 'revocation' }, `grant ${id} holds no longer`)
      }),
    )
  addClientOptions(grant.command('list'))
    .description('what an identity holds')
    .argument('<identity>')
    .action(
      action<ClientFlags>(async ({ out, global, flags }, identity) => {
        const { client } = await clientOf(global, flags)
        type Listed = { grants: { id: string; role: string; account?: string; untilMs?: number }[] }
        const found = await client.get<Listed>(`/v1/grants/${encodeURIComponent(identity!)}`)
        const lines = found.grants.map(({ id, role, account, untilMs }) =>
          [id, role, account ?? '', untilMs === undefined ? '' : `until ${new Date(untilMs).toISOString()}`]
            .join('  ')
            .trimEnd(),
        )
        out.data(found, lines.join('\n') || 'no grants')
      }),
    )
  return grant
}

function gatewayKeyOption(command: Command): Command {
  return command.option('--gateway-key <hex>', 'public key of the gateway; that of the one that runs here if not given')
}

/** Signs a statement for the gateway and brings it there. */
async function submit(
  global: Parameters<typeof clientOf>[0],
  flags: GrantFlags,
  what: Parameters<typeof signGrant>[2]['what'],
): Promise<void> {
  const { crypto, client, seed } = await clientOf(global, flags)
  const publicKey = flags.gatewayKey ?? (await running(configOf(global).stateDir))?.status.publicKey
  if (publicKey === undefined) {
    throw new CommandFailure({
      exit: 'usage',
      code: 'gateway-key',
      message: 'give --gateway-key: no gateway runs here',
    })
  }
  const gateway = nodeIdOf(crypto, fromHex(publicKey))
  const statement = toHex(signGrant(crypto, seed, { what, gateway, timeMs: Date.now() }))
  await client.post('/v1/grants', { statement })
}
