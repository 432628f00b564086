import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import type { Digest } from '../../model/digest.ts'
import type { Decision } from '../../model/verdict.ts'
import { after, decision, digest, imageRow, limit, pageOf } from './schemas.ts'

const query = Type.Object({
  repository: Type.Optional(Type.String({ maxLength: 255 })),
  decision: Type.Optional(decision),
  base: Type.Optional(digest),
  limit: Type.Optional(limit),
  after: Type.Optional(after),
})

export function imageRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get<{ Querystring: Static<typeof query> }>(
      '/images',
      {
        schema: {
          summary: 'Manifests of the repositories that you may pull',
          description: '`base` is the digest of an image: only what was built on that one, straight or through another.',
          querystring: query,
          response: { 200: pageOf(imageRow) },
        },
      },
      async (request) => {
        const { decision: wanted, base, limit: most, ...rest } = request.query
        return house.queries.images(request.principal, {
          ...rest,
          limit: most ?? 100,
          ...(wanted === undefined ? {} : { decision: wanted as Decision }),
          ...(base === undefined ? {} : { base: base as Digest }),
        })
      },
    )
  }
}
