import { readFileSync } from 'node:fs'
import fastify, { LogController, type FastifyInstance } from 'fastify'
import type { House } from '../flow/house.ts'
import { apiRoutes } from './api/api.ts'
import { healthRoutes } from './health.ts'
import { ociRoutes } from './oci/oci.ts'
import { tokenRoutes } from './token.ts'

/** In: the house. Out: the HTTP server, not yet listening: the OCI routes, sign-in, the API, health. */
export async function createServer(house: House): Promise<FastifyInstance> {
  const { tls } = house.settings
  const options = {
    loggerInstance: house.log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: house.settings.behindProxy,
    forceCloseConnections: 'idle' as const,
    requestTimeout: 0, // a push takes as long as it takes
    keepAliveTimeout: 75_000,
    routerOptions: { maxParamLength: 5000 },
  }
  const app = (
    tls === undefined ? fastify(options) : fastify({ ...options, https: { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } } as typeof options)
  ) as unknown as FastifyInstance
  await app.register(ociRoutes(house))
  await app.register(tokenRoutes(house))
  await app.register(healthRoutes(house))
  await app.register(apiRoutes(house))
  return app
}
