import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { image } from './schemas.ts'

const query = Type.Object({
  image,
  platform: Type.Optional(Type.String({ maxLength: 100 })),
  format: Type.Optional(Type.Literal('cyclonedx', { default: 'cyclonedx' })),
})

export function sbomRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get<{ Querystring: Static<typeof query> }>(
      '/sbom',
      { schema: { summary: 'The stored inventory of an image', querystring: query } },
      async (request, reply) => {
        const document = await house.queries.sbom(request.principal, request.query.image, request.query.platform)
        return reply.type('application/vnd.cyclonedx+json').send(JSON.stringify(document))
      },
    )
  }
}
