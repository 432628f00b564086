import type { Server } from 'node:https'
import fastify, { type FastifyInstance } from 'fastify'
import type { House } from '../flow/house.ts'
import { apiDoor } from './api-door.ts'
import { healthRoutes } from './health.ts'
import { ociRoutes } from './oci/oci.ts'
import { serverOptions } from './options.ts'
import { followTls, readTls } from './tls.ts'
import { tokenRoutes } from './token.ts'

/** In: the house. Out: the HTTP server, not yet listening: the OCI routes, sign-in, health, and the door to the API. */
export async function createServer(house: House): Promise<FastifyInstance> {
  const app = makeInstance(house)
  await app.register(ociRoutes(house))
  await app.register(tokenRoutes(house))
  await app.register(healthRoutes(house))
  await app.register(apiDoor(house))
  return app
}

function makeInstance(house: House): FastifyInstance {
  const options = serverOptions(house)
  const { tls } = house.settings
  if (tls === undefined) return fastify(options) as unknown as FastifyInstance
  const app = fastify({ ...options, https: readTls(tls) }) as unknown as FastifyInstance
  const stop = followTls(app.server as unknown as Server, tls, house.log)
  app.addHook('onClose', async () => stop())
  return app
}
