import { LogController, type FastifyReply } from 'fastify'
import type { House } from '../flow/house.ts'
import { LazaretError } from '../kit/errors.ts'
import { errorAnswer } from './oci/errors.ts'
import { requestIdOf } from './request-note.ts'

/** How often connections are looked at whose head is late. */
const mostCheckMs = 5000

/** What every Fastify instance of this process is made with. */
export function serverOptions(house: House) {
  const headMs = house.settings.limits.headSeconds * 1000
  return {
    http: { headersTimeout: headMs, connectionsCheckingInterval: Math.min(headMs / 4, mostCheckMs) },
    loggerInstance: house.log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: false, // forwarded.ts reads what a proxy says
    forceCloseConnections: 'idle' as const,
    return503OnClosing: false, // its words are not OCI's; what comes while stopping is still served
    requestTimeout: 0, // a push takes as long as it takes: what comes too slowly is slow-bodies.ts's affair
    keepAliveTimeout: 75_000,
    routerOptions: { maxParamLength: 5000 },
    genReqId: requestIdOf,
    frameworkErrors: refuse,
  }
}

/** What the router refuses before any route is asked, such as a percent sign that stands for nothing. */
function refuse(error: Error, _request: unknown, reply: FastifyReply): void {
  const { headers, body } = errorAnswer(new LazaretError('NOT_FOUND', 'the path is not well encoded', { cause: error }))
  reply.hijack()
  reply.raw.writeHead(404, headers).end(body)
}
