import { LazaretError } from '../../kit/errors.ts'
import { granted, may, mayList, type Principal } from '../../model/access.ts'
import type { Resource, Route } from './route.ts'

type RepositoryAction = 'pull' | 'push' | 'delete'

/** Which right a request needs; the first is the one that a client is told to ask for. */
export function actionsFor(method: string, resource: Resource): RepositoryAction[] {
  if (resource === 'uploads') return ['push']
  if (method === 'HEAD') return ['pull', 'push', 'delete']
  if (method === 'GET') return ['pull']
  return method === 'DELETE' ? ['delete'] : ['push']
}

/** As a challenge and a token name it: `repository:shop/api:pull,push`. */
export function scopeFor(method: string, route: Route): string | undefined {
  if (route.resource === 'ping') return undefined
  if (route.resource === 'catalog') return 'registry:catalog:*'
  const action = actionsFor(method, route.resource)[0] ?? 'pull'
  return `repository:${route.repository}:${action === 'push' ? 'pull,push' : action}`
}

/**
 * Holds a request to its rights, before anything is looked up: the answer is the same whether or not the repository exists.
 * Errors: UNAUTHORIZED where signing in, or a token of a wider scope, may help; DENIED where it can't.
 */
export function requireRights(principal: Principal, method: string, route: Route): void {
  if (route.resource === 'ping') return requireSomebody(principal)
  if (route.resource === 'catalog') return requireCatalog(principal)
  const wanted = actionsFor(method, route.resource)
  if (wanted.some((action) => may(principal, action, route.repository))) return
  if (principal.kind === 'anonymous') throw new LazaretError('UNAUTHORIZED', `sign in to ${wanted[0] ?? 'pull'} ${route.repository}`)
  if (wanted.some((action) => granted(principal, action, route.repository))) {
    throw new LazaretError('UNAUTHORIZED', `the token is not for ${wanted[0] ?? 'pull'} on ${route.repository}`)
  }
  throw new LazaretError('DENIED', `${principal.name} has no grant ${wanted[0] ?? 'pull'}=${route.repository}`)
}

function requireSomebody(principal: Principal): void {
  if (principal.kind === 'anonymous') throw new LazaretError('UNAUTHORIZED', 'sign in first')
}

/** A token that was made for one repository lists no others. */
function requireCatalog(principal: Principal): void {
  if (mayList(principal)) return
  requireSomebody(principal)
  throw new LazaretError('UNAUTHORIZED', 'the token is not for the catalog')
}
