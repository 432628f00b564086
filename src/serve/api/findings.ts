import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import type { Severity } from '../../model/advisory.ts'
import { after, finding, image, limit, pageOf, severity } from './schemas.ts'

const query = Type.Object({
  image: Type.Optional(image),
  platform: Type.Optional(Type.String({ maxLength: 100 })),
  id: Type.Optional(Type.String({ maxLength: 100, description: 'a CVE or another id of the flaw' })),
  package: Type.Optional(Type.String({ maxLength: 300 })),
  severity: Type.Optional(severity),
  base: Type.Optional(Type.Boolean({ description: 'of one image: what its base had already, or all that is not known to be the base’s' })),
  limit: Type.Optional(limit),
  after: Type.Optional(after),
})

export function findingRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get<{ Querystring: Static<typeof query> }>(
      '/findings',
      {
        schema: {
          summary: 'Flaws in packages, with the images that hold them',
          description: '`severity` is the least: that and worse. Without `image`, over all that you may pull.',
          querystring: query,
          response: { 200: pageOf(finding) },
        },
      },
      async (request) => {
        const { severity: least, limit: most, ...rest } = request.query
        return house.queries.findings(request.principal, {
          ...rest,
          limit: most ?? 100,
          ...(least === undefined ? {} : { severity: least as Severity }),
        })
      },
    )
  }
}
