import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { image, verdict } from './schemas.ts'

const query = Type.Object({
  image,
  platform: Type.Optional(Type.String({ maxLength: 100, description: 'os/architecture[/variant], of an index' })),
  wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 300, default: 0, description: 'seconds, for an image that is being examined' })),
})

export function verdictRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get<{ Querystring: Static<typeof query> }>(
      '/verdict',
      { schema: { summary: 'May this image be pulled, and why', querystring: query, response: { 200: verdict } } },
      async (request, reply) => {
        const hungUp = new AbortController()
        reply.raw.once('close', () => hungUp.abort())
        const { image: name, platform, wait } = request.query
        const asked = { image: name, waitSeconds: wait ?? 0, signal: hungUp.signal, ...(platform === undefined ? {} : { platform }) }
        return house.queries.verdicts.verdict(request.principal, asked)
      },
    )
  }
}
