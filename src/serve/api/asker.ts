import type { FastifyRequest } from 'fastify'
import type { Actor } from '../../flow/accounts/administration.ts'
import type { House } from '../../flow/house.ts'
import { LazaretError } from '../../kit/errors.ts'
import { may, principalId, type Principal } from '../../model/access.ts'
import { addressOf } from '../forwarded.ts'
import { notePrincipal } from '../request-note.ts'

/** Who asks, and how the audit log calls them. */
export interface Asker {
  principal: Principal
  actor: Actor
}

export type FindAsker = (request: FastifyRequest) => Promise<Asker>

/** By the request's credentials: the way over the network. Throws UNAUTHORIZED, TOOMANYREQUESTS. */
export function askerByCredentials(house: House): FindAsker {
  return async (request) => {
    const address = addressOf(request.raw)
    const principal = confined(await house.signIn.authenticate(request.headers.authorization, address))
    notePrincipal(request.raw, principal)
    // Without credentials only what is public is there to see; who has none and could see nothing is asked to sign in.
    if (principal.kind === 'anonymous' && principal.grants.length === 0) throw new LazaretError('UNAUTHORIZED', 'sign in first')
    return { principal, actor: { principal: principalId(principal), address } }
  }
}

/** Who may open the data folder may do everything in it: the way of a command on the server's own machine. */
export const askerOfThisMachine: FindAsker = async () => ({
  principal: { kind: 'user', name: 'system', grants: [{ action: 'admin', pattern: '' }] },
  actor: { principal: 'system', address: 'local' },
})

/** A token of the Docker flow counts here for pulling from the repositories that it names, and for nothing else. */
function confined(principal: Principal): Principal {
  if (principal.scope === undefined) return principal
  const pulled = [...principal.scope.keys()].filter((name) => may(principal, 'pull', name))
  return { ...principal, grants: pulled.map((pattern) => ({ action: 'pull', pattern })) }
}
