import { SIGN_IN_CHARS_MAX } from '../limits.ts'
import { loginFault } from './adapter.ts'

/**
 * The text that a wallet shows and signs: EIP-4361 for Ethereum, and CAIP-122, which has the same form, for the others.
 * Times are Unix milliseconds as the text's RFC 3339 says them; the text itself is kept, since it is what was signed.
 */
export interface SignInText {
  readonly scheme: string | undefined
  /** RFC 3986 authority that asks for the login. */
  readonly domain: string
  readonly address: string
  readonly statement: string | undefined
  readonly uri: string
  readonly chainId: string
  readonly nonce: string
  readonly issuedMs: number
  readonly expiresMs: number | undefined
  readonly notBeforeMs: number | undefined
  readonly requestId: string | undefined
  readonly resources: readonly string[]
}

/** What differs from one chain to the next. */
export interface SignInForm {
  /** `Ethereum` in "with your Ethereum account". */
  readonly account: string
  readonly address: RegExp
  readonly chainId: RegExp
}

const DOMAIN =
  /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):\/\/)?([a-zA-Z0-9.-]+(?::[0-9]{1,5})?|\[[0-9a-fA-F:.]+\](?::[0-9]{1,5})?)$/
const STATEMENT = /^[\x20-\x7e]+$/
const URI = /^[a-zA-Z][a-zA-Z0-9+.-]*:[\x21-\x7e]+$/
const NONCE = /^[a-zA-Z0-9]{8,}$/
const REQUEST_ID = /^[A-Za-z0-9\-._~!$&'()*+,;=:@%]*$/
const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/**
 * Reads a text line by line; whatever the grammar has no place for is refused.
 * @throws {SentryError} `sentry/login`
 */
export function readSignInText(text: string, form: SignInForm): SignInText {
  if (text.length > SIGN_IN_CHARS_MAX) throw loginFault('malformed')
  const lines = text.split('\n')
  const suffix = ` wants you to sign in with your ${form.account} account:`
  const first = take(lines)
  const [, scheme, domain] = DOMAIN.exec(first.endsWith(suffix) ? first.slice(0, -suffix.length) : '') ?? []
  if (domain === undefined) throw loginFault('malformed')
  const address = matching(take(lines), form.address)
  demand(take(lines) === '')
  const statement = takeStatement(lines)
  const uri = matching(labelled(lines, 'URI'), URI)
  demand(labelled(lines, 'Version') === '1')
  const read: SignInText = {
    scheme,
    domain,
    address,
    statement,
    uri,
    chainId: matching(labelled(lines, 'Chain ID'), form.chainId),
    nonce: matching(labelled(lines, 'Nonce'), NONCE),
    issuedMs: time(labelled(lines, 'Issued At')),
    expiresMs: optional(lines, 'Expiration Time', time),
    notBeforeMs: optional(lines, 'Not Before', time),
    requestId: optional(lines, 'Request ID', (value) => matching(value, REQUEST_ID)),
    resources: takeResources(lines),
  }
  demand(lines.length === 0)
  return read
}

/** After the address stands an empty line, or a statement between two. */
function takeStatement(lines: string[]): string | undefined {
  if (lines[0] === '') {
    lines.shift()
    return undefined
  }
  // Where there is no statement EIP-4361 has two line ends, and many wallets one.
  if (lines[0]?.startsWith('URI: ')) return undefined
  const statement = matching(take(lines), STATEMENT)
  demand(take(lines) === '')
  return statement
}

function takeResources(lines: string[]): string[] {
  if (lines[0] !== 'Resources:') return []
  lines.shift()
  return lines.splice(0).map((line) => {
    demand(line.startsWith('- '))
    return matching(line.slice(2), URI)
  })
}

function take(lines: string[]): string {
  const line = lines.shift()
  if (line === undefined) throw loginFault('malformed')
  return line
}

function labelled(lines: string[], label: string): string {
  const line = take(lines)
  demand(line.startsWith(`${label}: `))
  return line.slice(label.length + 2)
}

function optional<T>(lines: string[], label: string, read: (value: string) => T): T | undefined {
  return lines[0]?.startsWith(`${label}: `) ? read(labelled(lines, label)) : undefined
}

function matching(text: string, pattern: RegExp): string {
  demand(pattern.test(text))
  return text
}

function time(text: string): number {
  const parsed = TIME.test(text) ? Date.parse(text) : Number.NaN
  demand(Number.isFinite(parsed))
  return parsed
}

function demand(holds: boolean): void {
  if (!holds) throw loginFault('malformed')
}
