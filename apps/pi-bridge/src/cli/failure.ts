import { ApiError, type ApiErrorDetail } from '@nexus/node/api'
import { ControlUnreachableError } from '@nexus/node/control'
import { EXIT, type ExitName } from './exit-codes.ts'

/** Why a command ends without having done what was asked: for people a sentence and a next step, for programs a code. */
export interface FailureFacts {
  readonly exit: ExitName
  /** Stable, for programs. */
  readonly code: string
  readonly message: string
  /** What the user can do about it. */
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

const EXIT_OF_API: Record<ApiErrorDetail['code'], ExitName> = {
  'bad-request': 'usage',
  'unknown-method': 'failed',
  'unknown-node': 'notFound',
  'not-found': 'notFound',
  limit: 'failed',
  'too-large': 'failed',
  stopping: 'noNode',
  internal: 'failed',
}

/** Any error as a failure that can be printed. */
export function failureOf(error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  if (error instanceof ApiError) {
    const { code, message, next } = error.detail
    return new CommandFailure({ exit: EXIT_OF_API[code] ?? 'failed', code, message, next }, { cause: error })
  }
  if (error instanceof ControlUnreachableError) return unreachable(error)
  const { code } = error as NodeJS.ErrnoException
  const message = error instanceof Error ? error.message : String(error)
  return new CommandFailure({ exit: 'failed', code: code ?? 'internal', message }, { cause: error })
}

function unreachable(error: ControlUnreachableError): CommandFailure {
  if (error.message.includes('the connection was closed')) {
    return new CommandFailure({ exit: 'noNode', code: 'no-node', message: 'the node has stopped' }, { cause: error })
  }
  const denied = error.message.includes('EACCES') || error.message.includes('EPERM')
  return new CommandFailure(
    {
      exit: 'noNode',
      code: denied ? 'not-yours' : 'no-node',
      message: error.message,
      next: denied
        ? 'the socket belongs to another user; run this as that user or with sudo'
        : 'start one with nexus-node start, or name its socket with --socket or --config',
    },
    { cause: error },
  )
}
