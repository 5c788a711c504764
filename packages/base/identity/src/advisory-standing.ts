import { compareBytes } from '@nexus/codec'
import { type Advisory, EVIDENCE, encodeAdvisory, evidenceOf } from './advisory.ts'

/** All that is known of one compromised key: a function of the set of advisories, whatever order they came in. */
export interface AdvisoryStanding {
  readonly compromisedKey: Uint8Array
  /** The best-founded advisories, ascending by new key: one, or the first two of those that contradict each other. */
  readonly advisories: readonly Advisory[]
}

export type AdvisoryVerdict =
  /** Compromised, and no replacement is named. */
  | { readonly kind: 'revoked' }
  /** Compromised, and one replacement is named: for the user, or enough trusted peers, to accept. */
  | { readonly kind: 'candidate'; readonly newKey: Uint8Array; readonly evidence: number }
  /** Compromised, and equally founded advisories name different replacements: none may be accepted. */
  | { readonly kind: 'flagged'; readonly newKeys: readonly Uint8Array[] }

/**
 * Takes one more verified advisory into account. Commutative, associative and idempotent: replicas that saw the same set
 * agree. Returns `standing` itself where nothing changed. Never holds more than two advisories.
 * @throws {RangeError} where the advisory is about another key
 */
export function addAdvisory(standing: AdvisoryStanding | undefined, advisory: Advisory): AdvisoryStanding {
  const { compromisedKey } = advisory
  if (standing === undefined) return { compromisedKey, advisories: [advisory] }
  if (compareBytes(standing.compromisedKey, compromisedKey) !== 0) throw new RangeError('advisories about two keys')
  const bestRank = Math.min(...standing.advisories.map(rankOf), rankOf(advisory))
  const sorted = [...standing.advisories, advisory].filter((each) => rankOf(each) === bestRank).sort(byKeyThenNewest)
  const distinct = sorted.filter((each, index) => index === 0 || compareNewKeys(each, sorted[index - 1]!) !== 0)
  const advisories = distinct.slice(0, CONTRADICTION)
  const unchanged =
    advisories.length === standing.advisories.length &&
    advisories.every((each, index) => each === standing.advisories[index])
  return unchanged ? standing : { compromisedKey: standing.compromisedKey, advisories }
}

/** What follows from the standing; acting on it is the user's decision. */
export function advisoryVerdict(standing: AdvisoryStanding): AdvisoryVerdict {
  const [first, second] = standing.advisories
  if (first?.newKey === undefined) return { kind: 'revoked' }
  if (second?.newKey !== undefined) return { kind: 'flagged', newKeys: [first.newKey, second.newKey] }
  return { kind: 'candidate', newKey: first.newKey, evidence: evidenceOf(first) }
}

/** Two advisories prove a contradiction; a third proves no more. */
const CONTRADICTION = 2

/** Lower is better founded. An advisory without a new key contradicts none that names one, so it comes last. */
function rankOf(advisory: Advisory): number {
  return advisory.newKey === undefined ? EVIDENCE.OLD_KEY + 1 : evidenceOf(advisory)
}

function compareNewKeys(a: Advisory, b: Advisory): number {
  return a.newKey === undefined || b.newKey === undefined ? 0 : compareBytes(a.newKey, b.newKey)
}

/** By new key; of one new key the highest sequence first, and of one sequence the smallest bytes. */
function byKeyThenNewest(a: Advisory, b: Advisory): number {
  const byKey = compareNewKeys(a, b)
  if (byKey !== 0) return byKey
  if (a.sequence !== b.sequence) return a.sequence > b.sequence ? -1 : 1
  return compareBytes(encodeAdvisory(a), encodeAdvisory(b))
}
