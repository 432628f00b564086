import type { FastifyInstance } from 'fastify'
import type { House } from '../flow/house.ts'

/** The first pulls after a start come before it. */
const warmAfterMs = 500

/**
 * /api is an instance of its own behind this door, made right after the server listens: its schemas take longer to compile
 * than all the rest of a start, and no pull waits for them.
 */
export function apiDoor(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    let opened: Promise<FastifyInstance> | undefined
    const open = () => {
      if (opened !== undefined) return opened
      opened = import('./api/api.ts').then(({ createApi }) => createApi(house))
      opened.catch(() => {
        opened = undefined // who asks is told, and the next one tries anew
      })
      return opened
    }
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _payload, done) => done(null)) // bodies are read behind the door
    let warming: NodeJS.Timeout | undefined
    app.addHook('onListen', async () => {
      warming = setTimeout(() => {
        open().catch((error: unknown) => house.log.error({ err: error }, 'the API does not start'))
      }, warmAfterMs)
    })
    app.addHook('onClose', async () => {
      clearTimeout(warming)
      await (await opened)?.close()
    })
    for (const url of ['/api', '/api/*']) {
      app.all(url, async (request, reply) => {
        const api = await open()
        reply.hijack()
        reply.raw.setHeader('x-request-id', request.id)
        api.routing(request.raw, reply.raw)
      })
    }
  }
}
