import type { Server as HttpsServer } from 'node:https'
import fastify, { type FastifyInstance } from 'fastify'
import type { House } from '../flow/house.ts'
import { createMetrics } from '../kit/metrics.ts'
import { apiDoor } from './api-door.ts'
import { readPeers } from './forwarded.ts'
import { createFront, listenWith, type Front } from './front.ts'
import { healthRoutes } from './health.ts'
import { limitedPush } from './limits.ts'
import { createScrape, listenForMetrics, metricsRoutes, type Scrape } from './metrics.ts'
import { createOci, type Listener } from './oci/oci.ts'
import { serverOptions } from './options.ts'
import { createRequestWatch } from './requests.ts'
import { followTls } from './tls.ts'
import { createSlowBodies } from './slow-bodies.ts'
import { tokenRoutes } from './token.ts'
import { stayInSpan } from './traces.ts'

/** In: the house. Out: the HTTP server, not yet listening: the OCI API, sign-in, health, metrics, and the door to the API. */
export async function createServer(whole: House): Promise<FastifyInstance> {
  const metrics = createMetrics()
  const house = { ...whole, push: limitedPush(whole) }
  await house.disk.look()
  const watch = createRequestWatch(metrics, house.log, readPeers(house))
  const slow = createSlowBodies(house.settings.limits.bodySeconds)
  const app = makeInstance(house, createFront({ watch, slow, tracing: house.tracing }, createOci(house)))
  app.addHook('onClose', async () => slow.stop())
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  if (house.tracing !== undefined) stayInSpan(app)
  await app.register(tokenRoutes(house))
  await app.register(healthRoutes(house))
  await showMetrics(app, house, createScrape(house, metrics, watch.open))
  await app.register(apiDoor(house))
  return app
}

function makeInstance(house: House, front: Front): FastifyInstance {
  const { tls } = house.settings
  const { http: _http, ...options } = serverOptions(house)
  const serverFactory = (rest: Listener) => listenWith(house, front(rest))
  const app = fastify({ ...options, serverFactory }) as unknown as FastifyInstance
  if (tls === undefined) return app
  const stop = followTls(app.server as unknown as HttpsServer, tls, house.log)
  app.addHook('onClose', async () => stop())
  return app
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
