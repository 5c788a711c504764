import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { encodeUtf8, toHex } from '@nexus/codec'
import { type Crypto, systemRandom } from '@nexus/crypto'
import { nodeCrypto } from '@nexus/crypto/node'
import {
  combineShares,
  createIdentity,
  IdentityError,
  identityFileKind,
  nodeIdOf,
  shareFromText,
  shareToText,
  splitSeed,
} from '@nexus/identity'
import { writeIdentityFile, writePlainIdentityFile, writePrivateFile } from '@nexus/identity/node'
import { CommandFailure } from '../cli/failure.ts'
import type { Context, GlobalFlags } from '../cli/frame.ts'
import { askNewSecret, readSecretFile } from '../cli/secrets.ts'
import { loadConfig } from '../config/load.ts'
import { openSeed } from '../run/identity.ts'
import { networkKeyOf } from './network-key.ts'

/** Flags of the subcommands of nexus-keygen; each has some of them. */
export interface KeyFlags {
  readonly out?: string
  readonly file?: string
  readonly plain?: boolean
  readonly passphraseFile?: string
  readonly newPassphraseFile?: string
}

type KeyContext = Context<KeyFlags>

/** Makes an identity. @throws {CommandFailure} where the file exists */
export async function makeIdentity(context: KeyContext): Promise<undefined> {
  const path = outOf(context)
  await writeNew(context, path, systemRandom(32))
  return undefined
}

export async function showIdentity(context: KeyContext, file: string | undefined): Promise<undefined> {
  const crypto = await nodeCrypto()
  const path = identityPath(context.global, file)
  const seed = await openSeed(crypto, path, { file: context.flags.passphraseFile }, warn)
  tellIdentity(context, crypto, path, seed)
  return undefined
}

export async function changePassphrase(context: KeyContext, file: string | undefined): Promise<undefined> {
  const crypto = await nodeCrypto()
  const path = identityPath(context.global, file)
  const { flags } = context
  if (flags.plain && flags.newPassphraseFile !== undefined) throw usage('give either --plain or --new-passphrase-file')
  const seed = await openSeed(crypto, path, { file: flags.passphraseFile }, warn)
  if (flags.plain) writePlainIdentityFile(crypto, path, seed, { overwrite: true })
  else {
    const passphrase = await newPassphrase(flags.newPassphraseFile)
    writeIdentityFile(crypto, path, seed, { passphrase, overwrite: true })
  }
  context.out.say(flags.plain ? 'The file has no passphrase any more.' : 'The passphrase was changed.')
  tellIdentity(context, crypto, path, seed)
  return undefined
}

export async function split(
  context: KeyContext,
  file: string | undefined,
  threshold: number,
  shares: number,
): Promise<undefined> {
  const crypto = await nodeCrypto()
  const path = identityPath(context.global, file)
  const seed = await openSeed(crypto, path, { file: context.flags.passphraseFile }, warn)
  try {
    const nodeId = toHex(createIdentity(crypto, seed).nodeId)
    const texts = splitSeed(crypto, systemRandom, seed, { threshold, shares }).map((share) =>
      shareToText(crypto, share),
    )
    context.out.say(
      `Any ${threshold} of these ${shares} shares restore ${nodeId}. Give each to another person, and keep none together.`,
    )
    context.out.json({ schema: 'nexus-shares/1', nodeId, threshold, shares: texts })
    for (const text of texts) context.out.print(text)
  } catch (error) {
    if (error instanceof RangeError) throw usage(`${error.message}: 2 ≤ K ≤ N ≤ 16`)
    throw error
  } finally {
    seed.fill(0)
  }
  return undefined
}

export async function combine(context: KeyContext, given: readonly string[]): Promise<undefined> {
  const crypto = await nodeCrypto()
  const path = outOf(context)
  if (given.length === 0 && process.stdin.isTTY) context.out.say('Type the shares, one a line, then Ctrl-D.')
  const texts =
    given.length > 0
      ? given
      : readFileSync(0, 'utf8')
          .split('\n')
          .filter((line) => line.trim() !== '')
  const shares = texts.map((text, at) => {
    try {
      return shareFromText(crypto, text)
    } catch (error) {
      if (error instanceof IdentityError) throw usage(`share ${at + 1}: ${error.message}`)
      throw error
    }
  })
  try {
    await writeNew(context, path, combineShares(crypto, shares))
  } catch (error) {
    if (error instanceof IdentityError && error.detail.code.startsWith('identity/shares')) throw usage(error.message)
    throw error
  }
  return undefined
}

export async function makeNetworkKey(context: KeyContext): Promise<undefined> {
  const path = outOf(context)
  refuseExisting(path)
  const passphrase = await newPassphrase(context.flags.passphraseFile, 'passphrase of the network')
  writePrivate(path, encodeUtf8(`${toHex(networkKeyOf(passphrase))}\n`))
  context.out.json({ schema: 'nexus-network-key/1', file: path })
  context.out.print(path)
  context.out.say(`Set it on every node of the network: networkKeyFile = ${JSON.stringify(path)}`)
  return undefined
}

/** Writes a seed under a new passphrase, or plain, to a file that must not exist, and tells who it is. */
async function writeNew(context: KeyContext, path: string, seed: Uint8Array): Promise<void> {
  const { flags } = context
  if (flags.plain && flags.passphraseFile !== undefined) throw usage('give either --plain or --passphrase-file')
  refuseExisting(path)
  const crypto = await nodeCrypto()
  const passphrase = flags.plain ? undefined : await newPassphrase(flags.passphraseFile)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    if (passphrase === undefined) writePlainIdentityFile(crypto, path, seed)
    else writeIdentityFile(crypto, path, seed, { passphrase })
  } catch (error) {
    if (error instanceof IdentityError && error.detail.code === 'identity/file-exists') refuse(path)
    throw error
  }
  context.out.say(
    passphrase === undefined
      ? `Whoever reads ${path} is this node: it has no passphrase.`
      : 'Keep the passphrase: nobody can restore it.',
  )
  tellIdentity(context, crypto, path, seed)
}

function tellIdentity({ out }: KeyContext, crypto: Crypto, path: string, seed: Uint8Array): void {
  const publicKey = crypto.publicKey(seed)
  seed.fill(0)
  const facts = {
    schema: 'nexus-identity/1',
    nodeId: toHex(nodeIdOf(crypto, publicKey)),
    publicKey: toHex(publicKey),
    file: path,
    encrypted: identityFileKind(new Uint8Array(readFileSync(path))) === 'sealed',
  }
  out.json(facts)
  out.print(
    [
      `NodeID      ${out.colors.bold(facts.nodeId)}`,
      `public key  ${facts.publicKey}`,
      `file        ${facts.file} (${facts.encrypted ? 'encrypted' : 'not encrypted'})`,
    ].join('\n'),
  )
}

async function newPassphrase(file: string | undefined, what = 'passphrase'): Promise<string> {
  const passphrase = file === undefined ? await askNewSecret(what) : readSecretFile(file)
  if (Buffer.byteLength(passphrase.normalize('NFC')) > 1_024)
    throw usage('a passphrase has at most 1 024 bytes of UTF-8')
  return passphrase
}

function identityPath(global: GlobalFlags, file: string | undefined): string {
  return file === undefined ? loadConfig({ file: global.config, env: process.env }).config.identity.file : resolve(file)
}

function outOf({ global, flags }: KeyContext): string {
  return identityPath(global, flags.out)
}

function refuseExisting(path: string): void {
  if (existsSync(path)) refuse(path)
}

function refuse(path: string): never {
  throw new CommandFailure({
    exit: 'failed',
    code: 'file-exists',
    message: `${path} exists already, and keys are never replaced`,
    next: 'name another file with --out, or move the old one away yourself',
  })
}

function writePrivate(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writePrivateFile(path, bytes)
}

function warn(text: string): void {
  process.stderr.write(`warning: ${text}\n`)
}

function usage(message: string): CommandFailure {
  return new CommandFailure({ exit: 'usage', code: 'usage', message })
}
