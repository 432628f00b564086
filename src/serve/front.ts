import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { House } from '../flow/house.ts'
import type { Tracing } from '../kit/tracing/tracing.ts'
import { isOciPath, type Listener } from './oci/oci.ts'
import { serverOptions } from './options.ts'
import type { RequestWatch } from './requests.ts'
import type { SlowBodies } from './slow-bodies.ts'
import { readTls } from './tls.ts'
import { traceRequest } from './traces.ts'

/** In: what answers the requests that are not of the OCI API. Out: what answers all. */
export type Front = (rest: Listener) => Listener

/** What every request begins with; then those of the OCI API have a listener of their own, and the others go to the router. */
export function createFront(
  { watch, slow, tracing }: { watch: RequestWatch; slow: SlowBodies; tracing: Tracing | undefined },
  oci: Listener,
): Front {
  return (rest) => (request, response) => {
    watch.begin(request, response)
    slow.watch(request, response)
    const listener = isOciPath(request.url ?? '') ? oci : rest
    if (tracing === undefined) listener(request, response)
    else traceRequest(tracing, request, response, () => listener(request, response))
  }
}

/** Out: a server for one address, not yet listening, with TLS where the settings have it. */
export function listenWith(house: House, listener: Listener): Server {
  const { http, keepAliveTimeout, requestTimeout } = serverOptions(house)
  const { tls } = house.settings
  const options = { ...http, keepAliveTimeout, requestTimeout }
  if (tls === undefined) return createHttpServer(options, listener)
  return createHttpsServer({ ...readTls(tls), ...options, handshakeTimeout: http.headersTimeout }, listener) as unknown as Server
}
