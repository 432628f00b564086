import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import type { Decision } from '../../model/verdict.ts'
import { after, decision, imageRow, limit, pageOf } from './schemas.ts'

const query = Type.Object({
  repository: Type.Optional(Type.String({ maxLength: 255 })),
  decision: Type.Optional(decision),
  limit: Type.Optional(limit),
  after: Type.Optional(after),
})

export function imageRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get<{ Querystring: Static<typeof query> }>(
      '/images',
      { schema: { summary: 'Manifests of the repositories that you may pull', querystring: query, response: { 200: pageOf(imageRow) } } },
      async (request) => {
        const { decision: wanted, limit: most, ...rest } = request.query
        return house.queries.images(request.principal, {
          ...rest,
          limit: most ?? 100,
          ...(wanted === undefined ? {} : { decision: wanted as Decision }),
        })
      },
    )
  }
}
