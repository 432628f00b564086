import { LogController } from 'fastify'
import type { House } from '../flow/house.ts'

/** What every Fastify instance of this process is made with. */
export function serverOptions(house: House) {
  return {
    loggerInstance: house.log,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: house.settings.behindProxy,
    forceCloseConnections: 'idle' as const,
    return503OnClosing: false, // its words are not OCI's; what comes while stopping is still served
    requestTimeout: 0, // a push takes as long as it takes
    keepAliveTimeout: 75_000,
    routerOptions: { maxParamLength: 5000 },
  }
}
