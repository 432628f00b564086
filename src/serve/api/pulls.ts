import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { signedInOnly } from './admins.ts'
import { after, digest, image, limit } from './schemas.ts'

const query = Type.Object({ image, limit: Type.Optional(limit), after: Type.Optional(after) }, { additionalProperties: false })
const instant = Type.String({ format: 'date-time' })
const pull = Type.Object({
  tag: Type.Optional(Type.String({ description: 'absent: by digest alone' })),
  principal: Type.String(),
  address: Type.String(),
  count: Type.Integer({ description: '0: asked for by HEAD alone, by a node that has it already' }),
  firstAt: instant,
  lastAt: instant,
})
const page = Type.Object({ image: Type.String(), digest, items: Type.Array(pull), next: Type.Optional(Type.String()) })

export function pullRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addHook('onRequest', signedInOnly)
    app.get<{ Querystring: Static<typeof query> }>(
      '/pulls',
      {
        schema: {
          summary: 'Who pulled an image, the newest first',
          description: 'Needs the grant push.',
          querystring: query,
          response: { 200: page },
        },
      },
      async ({ principal, query: { image: named, limit: most, ...rest } }) =>
        house.queries.pulls.pulls(principal, named, { limit: most ?? 100, ...rest }),
    )
  }
}
