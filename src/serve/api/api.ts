import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { House } from '../../flow/house.ts'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { asNoRoom } from '../../kit/no-room.ts'
import type { Actor } from '../../flow/accounts/administration.ts'
import type { Principal } from '../../model/access.ts'
import { serverOptions } from '../options.ts'
import { refuse } from '../lingering.ts'
import { noteError } from '../request-note.ts'
import { stayInSpan } from '../traces.ts'
import { advisoryChangeRoutes } from './advisory-changes.ts'
import { advisoryRoutes } from './advisories.ts'
import { askerByCredentials, type FindAsker } from './asker.ts'
import { auditLogRoutes } from './audit-log.ts'
import { collectionRoutes } from './collection.ts'
import { documentRoutes } from './document.ts'
import { findingRoutes } from './findings.ts'
import { imageRoutes } from './images.ts'
import { jobRoutes } from './jobs.ts'
import { packageRoutes } from './packages.ts'
import { pullRoutes } from './pulls.ts'
import { repositoryRoutes } from './repository-settings.ts'
import { problem } from './schemas.ts'
import { robotRoutes } from './robots.ts'
import { sbomRoutes } from './sbom.ts'
import { selfRoutes } from './self.ts'
import { tagRoutes } from './tags.ts'
import { userRoutes } from './users.ts'
import { exactBody, parameterProblem } from './validation.ts'
import { verdictRoutes } from './verdict.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set before every handler under /api/v1. */
    principal: Principal
    /** The same as the audit log calls it. */
    actor: Actor
  }
}

const allRoutes = [
  verdictRoutes,
  imageRoutes,
  findingRoutes,
  packageRoutes,
  sbomRoutes,
  selfRoutes,
  userRoutes,
  robotRoutes,
  advisoryRoutes,
  advisoryChangeRoutes,
  jobRoutes,
  auditLogRoutes,
  collectionRoutes,
  tagRoutes,
  pullRoutes,
  repositoryRoutes,
]

/** In: the house, and how it is known who asks. Out: an instance that serves /api, ready, and listens nowhere by itself. */
export async function createApi(house: House, findAsker: FindAsker = askerByCredentials(house)): Promise<FastifyInstance> {
  const ajv = { customOptions: { removeAdditional: false } } // a misspelt filter is refused, as a list without it would show too much
  const app = fastify({ ...serverOptions(house), ajv, schemaErrorFormatter: parameterProblem }) as unknown as FastifyInstance
  if (house.tracing !== undefined) stayInSpan(app)
  await app.register(apiRoutes(house, findAsker))
  await app.ready()
  return app
}

/** /api: one OpenAPI document and the routes that it describes, from the same schemas. */
function apiRoutes(house: House, findAsker: FindAsker): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: { title: 'Lazaret', version: '1', license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
        components: { securitySchemes: { basic: { type: 'http', scheme: 'basic' }, bearer: { type: 'http', scheme: 'bearer' } } },
        security: [{ basic: [] }, { bearer: [] }],
      },
    })
    app.setErrorHandler(async (error, request, reply) => answerProblem(house, request, reply, error))
    app.setNotFoundHandler(async (request, reply) => answerProblem(house, request, reply, new LazaretError('NOT_FOUND', 'no such path')))
    await app.register(documentRoutes)
    await app.register(async (v1) => {
      v1.decorateRequest('principal')
      v1.decorateRequest('actor')
      v1.addHook('onRequest', async (request: FastifyRequest) => {
        Object.assign(request, await findAsker(request))
      })
      v1.addHook('onRoute', (route) => {
        if (route.schema?.body !== undefined) route.validatorCompiler = exactBody
        route.schema = { ...route.schema, response: { ...(route.schema?.response as object | undefined), '4xx': problem, '5xx': problem } }
      })
      for (const routes of allRoutes) await v1.register(routes(house), { prefix: '/api/v1' })
    })
  }
}

/** RFC 9457. What is not ours is INTERNAL and says nothing of its inside. */
function answerProblem(house: House, request: FastifyRequest, reply: FastifyReply, error: unknown): FastifyReply {
  noteError(request.raw, error)
  const known = asKnown(error)
  if (known.code === 'INTERNAL') house.log.error({ requestId: request.id, err: error, problem: messageOf(error) }, 'request failed')
  if (known.status === 401) reply.header('www-authenticate', 'Basic realm="lazaret"')
  const body = { type: 'about:blank', title: known.code, status: known.status, code: known.code, detail: known.message }
  return refuse(request, reply.code(known.status).headers(known.headers).type('application/problem+json'), JSON.stringify(body))
}

function asKnown(error: unknown): LazaretError {
  if (error instanceof LazaretError) return error
  const { statusCode, message } = error as { statusCode?: number; message?: string }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500)
    return new LazaretError('INPUT_INVALID', message ?? 'invalid', { status: statusCode })
  return asNoRoom(error) ?? new LazaretError('INTERNAL', 'the server failed; its log says why', { cause: error })
}
