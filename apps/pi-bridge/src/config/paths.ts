import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { CommandFailure } from '../cli/failure.ts'
import type { Config } from './schema.ts'

/** Settings that have a place once the others are known. */
export interface Paths {
  readonly stateDir: string
  readonly socket: string
  readonly identity: { readonly file: string; readonly passphraseFile?: string | undefined }
}

/** What the kernel keeps for the name of a local socket, its closing zero not counted: 108 on Linux, 104 on macOS and BSD. */
const SOCKET_PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103

const usual = envPaths('nexus', { suffix: '' })

/** Folders that may hold the configuration file: the user’s, then the machine’s. */
export function configDirs(): string[] {
  return process.platform === 'win32' ? [usual.config] : [usual.config, '/etc/nexus']
}

/** Fills in the paths that were not set. @throws {CommandFailure} where the socket’s path is too long for the system */
export function fillPaths(config: Config): Config & Paths {
  // systemd names the folder that it made for the service.
  const stateDir = resolve(config.stateDir ?? process.env['STATE_DIRECTORY'] ?? usual.data)
  const socket = config.socket ?? defaultSocket(stateDir)
  if (process.platform !== 'win32' && Buffer.byteLength(socket) > SOCKET_PATH_BYTES_MAX) {
    throw new CommandFailure({
      exit: 'config',
      code: 'socket-path',
      message: `the path of the control socket has more than ${SOCKET_PATH_BYTES_MAX} bytes: ${socket}`,
      next: 'set a shorter one with the setting socket, for instance in $XDG_RUNTIME_DIR',
    })
  }
  const { stateDir: _stateDir, socket: _socket, identity, ...rest } = config
  const file = resolve(identity.file ?? join(stateDir, 'identity'))
  return { stateDir, socket, identity: { ...identity, file }, ...rest }
}

function defaultSocket(stateDir: string): string {
  if (process.platform !== 'win32') return join(stateDir, 'control.sock')
  return `\\\\.\\pipe\\nexus-${createHash('sha256').update(stateDir.toLowerCase()).digest('hex').slice(0, 16)}`
}
