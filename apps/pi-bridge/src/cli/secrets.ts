import { readFileSync, statSync } from 'node:fs'
import { CommandFailure } from './failure.ts'

/** A secret is the first line of its file; more would be a wrong file. */
const SECRET_FILE_BYTES_MAX = 4_096

/** @throws {CommandFailure} where the file is missing, open to others, or empty */
export function readSecretFile(path: string): string {
  let text: string
  try {
    const { size, mode } = statSync(path)
    if (size > SECRET_FILE_BYTES_MAX) throw new Error('too large for a passphrase')
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      process.stderr.write(
        `warning: ${path} has mode ${(mode & 0o777).toString(8)}: others may read it; chmod 600 it\n`,
      )
    }
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CommandFailure({ exit: 'config', code: 'passphrase-file', message: `${path}: ${why}` })
  }
  return firstLineOf(text, path)
}

/** @throws {CommandFailure} where the line is empty */
export function firstLineOf(text: string, where: string): string {
  const [line = ''] = text.split(/\r?\n/)
  if (line !== '') return line
  throw new CommandFailure({ exit: 'config', code: 'passphrase-empty', message: `${where} holds no passphrase` })
}

/** Asks on the terminal without showing what is typed; undefined without a terminal. */
export async function askSecret(prompt: string): Promise<string | undefined> {
  const { stdin, stderr } = process
  if (!stdin.isTTY || !stderr.isTTY) return undefined
  stderr.write(prompt)
  stdin.setRawMode(true)
  stdin.setEncoding('utf8')
  stdin.resume()
  let typed = ''
  try {
    return await new Promise<string>((resolve, reject) => {
      const onData = (chunk: string): void => {
        for (const key of chunk) {
          if (key === '\u0003' || key === '\u0004') {
            stdin.off('data', onData)
            return reject(new CommandFailure({ exit: 'failed', code: 'interrupted', message: 'nothing was done' }))
          }
          if (key === '\r' || key === '\n') {
            stdin.off('data', onData)
            return resolve(typed)
          }
          if (key === '\u007f' || key === '\b') typed = typed.slice(0, -1)
          else if (key >= ' ') typed += key
        }
      }
      stdin.on('data', onData)
    })
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

/** Asks twice for a new passphrase. @throws {CommandFailure} where the two differ or there is no terminal */
export async function askNewSecret(what: string): Promise<string> {
  const first = await askSecret(`New ${what}: `)
  if (first === undefined) {
    throw new CommandFailure({
      exit: 'usage',
      code: 'passphrase-missing',
      message: `there is no terminal to ask for a ${what}`,
      next: 'give --passphrase-file',
    })
  }
  if (first === '') throw new CommandFailure({ exit: 'usage', code: 'passphrase-empty', message: `an empty ${what}` })
  const second = await askSecret('The same again: ')
  if (first === second) return first
  throw new CommandFailure({ exit: 'usage', code: 'passphrase-differs', message: 'the two are not the same' })
}
