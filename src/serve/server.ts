import type { Server } from 'node:https'
import fastify, { type FastifyInstance } from 'fastify'
import type { House } from '../flow/house.ts'
import { createMetrics } from '../kit/metrics.ts'
import { apiDoor } from './api-door.ts'
import { readPeers } from './forwarded.ts'
import { healthRoutes } from './health.ts'
import { limitedPush } from './limits.ts'
import { createScrape, listenForMetrics, metricsRoutes, type Scrape } from './metrics.ts'
import { ociRoutes } from './oci/oci.ts'
import { serverOptions } from './options.ts'
import { createRequestWatch, type RequestWatch } from './requests.ts'
import { followTls, readTls } from './tls.ts'
import { createSlowBodies, type SlowBodies } from './slow-bodies.ts'
import { tokenRoutes } from './token.ts'
import { traceRequests } from './traces.ts'

/** In: the house. Out: the HTTP server, not yet listening: the OCI routes, sign-in, health, metrics, and the door to the API. */
export async function createServer(whole: House): Promise<FastifyInstance> {
  const metrics = createMetrics()
  const house = { ...whole, push: limitedPush(whole) }
  await house.disk.look()
  const app = makeInstance(house)
  const watch = createRequestWatch(metrics, house.log, readPeers(house))
  const slow = createSlowBodies(house.settings.limits.bodySeconds)
  app.addHook('onClose', async () => slow.stop())
  watchRequests(app, watch, slow)
  if (house.tracing !== undefined) traceRequests(app, house.tracing)
  await app.register(ociRoutes(house))
  await app.register(tokenRoutes(house))
  await app.register(healthRoutes(house))
  await showMetrics(app, house, createScrape(house, metrics, watch.open))
  await app.register(apiDoor(house))
  return app
}

function makeInstance(house: House): FastifyInstance {
  const options = serverOptions(house)
  const { tls } = house.settings
  if (tls === undefined) return fastify(options) as unknown as FastifyInstance
  const https = { ...readTls(tls), ...options.http, handshakeTimeout: options.http.headersTimeout }
  const app = fastify({ ...options, https }) as unknown as FastifyInstance
  const stop = followTls(app.server as unknown as Server, tls, house.log)
  app.addHook('onClose', async () => stop())
  return app
}

function watchRequests(app: FastifyInstance, watch: RequestWatch, slow: SlowBodies): void {
  app.addHook('onRequest', (request, reply, done) => {
    watch.begin(request.raw, reply.raw, { id: request.id })
    slow.watch(request.raw, reply.raw)
    if (!request.raw.url?.startsWith('/v2')) reply.header('x-request-id', request.id) // those below /v2 write their own head
    done()
  })
}

/** On a listener of their own where there is one, and then nowhere else. */
async function showMetrics(app: FastifyInstance, house: House, scrape: Scrape): Promise<void> {
  const { listen } = house.settings.metrics
  if (listen === undefined) {
    await app.register(metricsRoutes(house, scrape))
    return
  }
  let close: () => void = () => undefined
  app.addHook('onReady', async () => {
    const server = await listenForMetrics(listen, scrape, house.log)
    house.log.info({ metrics: server.address() }, 'metrics have a listener of their own')
    close = () => {
      server.close()
      server.closeAllConnections()
    }
  })
  app.addHook('onClose', async () => close())
}
