import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { after, digest, limit, pageOf } from './schemas.ts'

const query = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 300, description: 'as advisories name it; an artifact of Maven without its group too' }),
    ecosystem: Type.Optional(
      Type.String({ minLength: 1, maxLength: 100, description: 'Debian:12, Maven, or a family without its release' }),
    ),
    version: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: '<2.17, or >=2.0,<2.17, or a version' })),
    limit: Type.Optional(limit),
    after: Type.Optional(after),
  },
  { additionalProperties: false },
)

const holder = Type.Object({
  ecosystem: Type.String(),
  name: Type.String(),
  version: Type.String(),
  comparable: Type.Boolean({ description: 'false where this version can’t be compared with the range, and may be within it' }),
  digest,
  repositories: Type.Array(Type.String(), { description: 'the first hundred' }),
})

export function packageRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get<{ Querystring: Static<typeof query> }>(
      '/packages',
      {
        schema: {
          summary: 'Images that hold a package, of those that you may pull',
          querystring: query,
          response: { 200: pageOf(holder) },
        },
      },
      async (request) => house.queries.packages(request.principal, { ...request.query, limit: request.query.limit ?? 100 }),
    )
  }
}
