import type { FastifyRequest } from 'fastify'
import { LazaretError } from '../../kit/errors.ts'
import { isAdmin } from '../../model/access.ts'

/**
 * A hook before the body is read. Throws UNAUTHORIZED where signing in may help, DENIED where it can't: also by a token of the
 * Docker flow, whoever holds it, as it was made for repositories alone.
 */
export async function adminsOnly({ principal }: FastifyRequest): Promise<void> {
  if (principal.kind === 'anonymous') throw new LazaretError('UNAUTHORIZED', 'sign in first')
  if (principal.scope !== undefined)
    throw new LazaretError('DENIED', "a token for repositories opens nothing else: use a password, or a robot's own token")
  if (!isAdmin(principal)) throw new LazaretError('DENIED', `${principal.name} has no grant admin`)
}

/** As `adminsOnly`, for what anyone with an account may see. */
export async function signedInOnly({ principal }: FastifyRequest): Promise<void> {
  if (principal.kind === 'anonymous') throw new LazaretError('UNAUTHORIZED', 'sign in first')
}
