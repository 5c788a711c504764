/** What can be asked of a gateway; each route of its API is one of these. */
export type Action =
  | 'account.erase'
  | 'account.export'
  | 'account.read'
  | 'entry.create'
  | 'events.read'
  | 'gateway.anchor'
  | 'gateway.backup'
  | 'gateway.keys'
  | 'grant.read'
  | 'grant.write'
  | 'log.prove'
  | 'log.read'
  | 'metrics.read'
  | 'rejections.read'

/** What an identity may be here. */
export type Role = 'owner' | 'app' | 'auditor' | 'operator' | 'admin'

interface RoleRule {
  /** In grants on the wire; never changes. */
  readonly byte: number
  /** Whether the role is held for an account, or for {@link ANY_ACCOUNT}, rather than for the gateway. */
  readonly perAccount: boolean
  readonly actions: readonly Action[]
}

/** Everything that is allowed; what stands in no row is not. */
export const ROLES: Readonly<Record<Role, RoleRule>> = {
  owner: { byte: 1, perAccount: true, actions: ['account.read', 'account.export', 'account.erase', 'log.prove'] },
  app: { byte: 2, perAccount: true, actions: ['entry.create', 'account.read', 'log.prove'] },
  auditor: {
    byte: 3,
    perAccount: false,
    actions: ['account.read', 'log.read', 'log.prove', 'events.read', 'rejections.read', 'grant.read'],
  },
  operator: {
    byte: 4,
    perAccount: false,
    actions: ['gateway.backup', 'gateway.anchor', 'gateway.keys', 'metrics.read', 'rejections.read', 'log.prove'],
  },
  admin: { byte: 5, perAccount: false, actions: ['grant.read', 'grant.write'] },
}

/** The account of a grant that holds for all of them. */
export const ANY_ACCOUNT = '*'

/** A role that somebody holds, and where. */
export interface HeldRole {
  readonly role: Role
  /** Of a role per account. */
  readonly account?: string
}

/** Whether any of the roles allows the action, on the account if it is about one. */
export function allows(held: readonly HeldRole[], action: Action, account: string | undefined): boolean {
  return held.some(({ role, account: of }) => {
    const rule = ROLES[role]
    if (!rule.actions.includes(action)) return false
    return !rule.perAccount || (account !== undefined && (of === account || of === ANY_ACCOUNT))
  })
}

/** The role of a byte, if it is one. */
export function roleOf(byte: number): Role | undefined {
  return (Object.keys(ROLES) as Role[]).find((role) => ROLES[role].byte === byte)
}
