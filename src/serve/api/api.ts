import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { House } from '../../flow/house.ts'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import type { Principal } from '../../model/access.ts'
import { serverOptions } from '../options.ts'
import { documentRoutes } from './document.ts'
import { findingRoutes } from './findings.ts'
import { imageRoutes } from './images.ts'
import { sbomRoutes } from './sbom.ts'
import { verdictRoutes } from './verdict.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before every handler under /api/v1. */
    principal: Principal
  }
}

/** In: the house. Out: an instance that serves /api, ready, and listens nowhere by itself. */
export async function createApi(house: House): Promise<FastifyInstance> {
  const app = fastify(serverOptions(house)) as unknown as FastifyInstance
  await app.register(apiRoutes(house))
  await app.ready()
  return app
}

/** /api: one OpenAPI document and the routes that it describes, from the same schemas. */
function apiRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Lazaret', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
        components: { securitySchemes: { basic: { type: 'http', scheme: 'basic' }, bearer: { type: 'http', scheme: 'bearer' } } },
        security: [{ basic: [] }, { bearer: [] }],
      },
    })
    app.setErrorHandler(async (error, _request, reply) => answerProblem(house, reply, error))
    app.setNotFoundHandler(async (_request, reply) => answerProblem(house, reply, new LazaretError('NOT_FOUND', 'no such path')))
    await app.register(documentRoutes)
    await app.register(async (v1) => {
      v1.decorateRequest('principal')
      v1.addHook('onRequest', async (request: FastifyRequest) => {
        request.principal = await signedIn(house, request)
      })
      for (const routes of [verdictRoutes, imageRoutes, findingRoutes, sbomRoutes]) await v1.register(routes(house), { prefix: '/api/v1' })
    })
  }
}

/** Without credentials only what is public is there to see; who has none and could see nothing is asked to sign in. */
async function signedIn(house: House, request: FastifyRequest): Promise<Principal> {
  const principal = await house.signIn.authenticate(request.headers.authorization, request.ip)
  if (principal.kind === 'anonymous' && principal.grants.length === 0) throw new LazaretError('UNAUTHORIZED', 'sign in first')
  return principal
}

/** RFC 9457. What is not ours is INTERNAL and says nothing of its inside. */
function answerProblem(house: House, reply: FastifyReply, error: unknown): FastifyReply {
  const known = asKnown(error)
  if (known.code === 'INTERNAL') house.log.error({ err: error, problem: messageOf(error) }, 'request failed')
  if (known.status === 401) reply.header('www-authenticate', 'Basic realm="lazaret"')
  const body = { type: 'about:blank', title: known.code, status: known.status, code: known.code, detail: known.message }
  return reply.code(known.status).headers(known.headers).type('application/problem+json').send(JSON.stringify(body))
}

function asKnown(error: unknown): LazaretError {
  if (error instanceof LazaretError) return error
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) return new LazaretError('INPUT_INVALID', message ?? 'invalid', { status: statusCode })
  return new LazaretError('INTERNAL', 'the server failed; its log says why', { cause: error })
}
