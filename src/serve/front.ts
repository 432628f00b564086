import { createServer as createHttpServer, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
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
    if (isCrowded(request.socket, response)) return
    watch.begin(request, response)
    slow.watch(request, response)
    const listener = isOciPath(request.url ?? '') ? oci : rest
    if (tracing === undefined) listener(request, response)
    else traceRequest(tracing, request, response, () => listener(request, response))
  }
}

const underWay = Symbol('requests under way')
type Counted = Socket & { [underWay]?: number }
/** Clients ask one after the other. Whoever asks ahead has all of it under way at once, each with its file and its memory. */
const mostUnderWay = 16

/** Counts the requests of a connection, and ends one that has too many. */
function isCrowded(socket: Counted, response: ServerResponse): boolean {
  const count = (socket[underWay] ?? 0) + 1
  if (count > mostUnderWay) {
    socket.destroy()
    return true
  }
  socket[underWay] = count
  response.once('close', () => {
    socket[underWay] = (socket[underWay] ?? 1) - 1
  })
  return false
}

/** Out: a server for one address, not yet listening, with TLS where the settings have it. */
export function listenWith(house: House, listener: Listener): Server {
  const { http, keepAliveTimeout, requestTimeout } = serverOptions(house)
  const { tls } = house.settings
  const options = { ...http, keepAliveTimeout, requestTimeout }
  if (tls === undefined) return createHttpServer(options, listener)
  return createHttpsServer({ ...readTls(tls), ...options, handshakeTimeout: http.headersTimeout }, listener) as unknown as Server
}
