import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { tokenPath, type House } from '../flow/house.ts'
import { LazaretError, messageOf } from '../kit/errors.ts'
import { addressOf } from './forwarded.ts'
import { refuse } from './lingering.ts'
import { errorAnswer } from './oci/errors.ts'
import { noteError } from './request-note.ts'

const mostFormBytes = 64 * 1024

/** The Docker token flow: GET, and POST with a form (see access/token-endpoint.ts). */
export function tokenRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: mostFormBytes }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(body as string))),
    )
    app.setErrorHandler(async (error, request, reply) => answerError(house, request, reply, error))
    app.get(tokenPath, async (request, reply) => {
      const query = new URL(request.raw.url ?? '/', 'http://registry').searchParams
      reply.header('cache-control', 'no-store')
      return house.signIn.issue({
        authorization: request.headers.authorization,
        service: query.get('service') ?? undefined,
        scopes: query.getAll('scope'),
        address: addressOf(request.raw),
      })
    })
    app.post(tokenPath, async (request, reply) => {
      reply.header('cache-control', 'no-store')
      return house.signIn.issueOAuth({ form: (request.body ?? {}) as Record<string, string>, address: addressOf(request.raw) })
    })
  }
}

function answerError(house: House, request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  const known = asKnown(error)
  noteError(request.raw, known)
  const answer = errorAnswer(known)
  if (answer.status >= 500) house.log.error({ requestId: request.id, err: error }, 'sign-in failed')
  if (answer.status === 401) answer.headers['www-authenticate'] = 'Basic realm="lazaret"'
  return refuse(request, reply.code(answer.status).headers(answer.headers), answer.body)
}

/** What Fastify refuses before the route is asked: a form that is too large, a type that is none. */
function asKnown(error: unknown): unknown {
  const { statusCode = 500 } = error as { statusCode?: number }
  if (error instanceof LazaretError || statusCode >= 500) return error
  return new LazaretError(statusCode === 413 ? 'SIZE_INVALID' : 'INPUT_INVALID', messageOf(error), { status: statusCode, cause: error })
}
