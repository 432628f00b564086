import { matchesPattern } from './names.ts'

export const actions = ['pull', 'push', 'delete', 'read-quarantined', 'admin'] as const
export type Action = (typeof actions)[number]

/**
 * `admin` has no pattern: it covers everything, and stands for pull, push and delete, but not read-quarantined.
 * `read-quarantined` stands for pull too: it reads what the gate holds as well as what it lets through.
 */
export interface Grant {
  action: Action
  pattern: string
  /** Patterns that it does not reach: what is private within what is public. */
  except?: readonly string[]
}

/** Who asks. `anonymous` has what the `public` setting gives. */
export interface Principal {
  kind: 'user' | 'robot' | 'anonymous'
  name: string
  grants: Grant[]
  /** Bearer only: what the token was made for, by repository; then an action needs both the grant and the scope. */
  scope?: ReadonlyMap<string, ReadonlySet<string>>
}

/** Whether the grants allow an action on a repository, whatever the token says. */
export function granted(principal: Principal, action: Action, repository: string): boolean {
  return principal.grants.some((grant) => grantCovers(grant, action, repository))
}

/** Whether this request may do it: the grants, and on a Bearer token its scope too. */
export function may(principal: Principal, action: 'pull' | 'push' | 'delete', repository: string): boolean {
  if (principal.scope !== undefined && principal.scope.get(repository)?.has(action) !== true) return false
  return granted(principal, action, repository)
}

/** The key under which a Bearer scope holds the catalog; no repository name has a colon. */
export const catalogScope = 'registry:catalog'

/** Whether this request may ask for the catalog at all; what it then sees is by `granted(…, 'pull', …)`. */
export function mayList(principal: Principal): boolean {
  if (principal.scope !== undefined && principal.scope.get(catalogScope)?.has('*') !== true) return false
  return principal.kind !== 'anonymous' || principal.grants.length > 0
}

/** `user:bob`, `robot:ci`, `anonymous`: as tokens, upload sessions and the audit log name who asks. */
export function principalId(principal: Pick<Principal, 'kind' | 'name'>): string {
  return principal.kind === 'anonymous' ? 'anonymous' : `${principal.kind}:${principal.name}`
}

export function isAdmin(principal: Principal): boolean {
  return principal.grants.some((grant) => grant.action === 'admin')
}

function grantCovers(grant: Grant, action: Action, repository: string): boolean {
  if (grant.action === 'admin') return action !== 'read-quarantined'
  const covers = grant.action === action || (action === 'pull' && grant.action === 'read-quarantined')
  if (!covers || !matchesPattern(grant.pattern, repository)) return false
  return grant.except?.some((pattern) => matchesPattern(pattern, repository)) !== true
}
