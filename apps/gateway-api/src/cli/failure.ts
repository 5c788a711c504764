import { IdentityError } from '@nexus/identity'
import { SentryError } from '@nexus/sentry'
import { VaultError } from '@nexus/vault'
import { ProofError } from '../verify.ts'
import { EXIT, type ExitName } from './exit-codes.ts'

/** Why a command ends without having done what was asked: a sentence and a next step for people, a code for programs. */
export interface FailureFacts {
  readonly exit: ExitName
  /** Stable, for programs. */
  readonly code: string
  readonly message: string
  readonly next?: string | undefined
}

/** An end that was foreseen: it is printed without a stack. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
  readonly facts: FailureFacts
  constructor(facts: FailureFacts, options?: ErrorOptions) {
    super(facts.message, options)
    this.facts = facts
  }

  get exitCode(): number {
    return EXIT[this.facts.exit]
  }
}

/** Any error as a failure that can be printed. */
export function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof VaultError) {
    const { code } = error.detail
    const exit = code === 'vault/locked' ? 'running' : code === 'vault/key' ? 'config' : 'failed'
    return new CommandFailure({ exit, code, message }, { cause: error })
  }
  if (error instanceof IdentityError) {
    return new CommandFailure({ exit: 'config', code: error.detail.code, message }, { cause: error })
  }
  if (error instanceof ProofError) return new CommandFailure({ exit: 'failed', code: 'no-proof', message })
  const { code: errno, path } = error as NodeJS.ErrnoException
  if (errno === 'ENOENT' && path !== undefined) {
    const facts: FailureFacts = { exit: 'notFound', code: errno, message: `${path} does not exist` }
    return new CommandFailure(facts, { cause: error })
  }
  const code = error instanceof SentryError ? error.detail.code : errno
  return new CommandFailure({ exit: 'failed', code: code ?? 'internal', message }, { cause: error })
}
