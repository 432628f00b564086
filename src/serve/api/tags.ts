import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { signedInOnly } from './admins.ts'
import { after, digest, image, limit, pageOf } from './schemas.ts'

const query = Type.Object(
  { image: Type.String({ ...image, description: 'NAME:TAG' }), limit: Type.Optional(limit), after: Type.Optional(after) },
  { additionalProperties: false },
)
const move = Type.Object({
  at: Type.String({ format: 'date-time' }),
  by: Type.String(),
  way: Type.Union(['push', 'delete', 'restore'].map((word) => Type.Literal(word))),
  from: Type.Optional(digest),
  to: Type.Optional(digest),
  restorable: Type.Boolean({ description: 'whether the repository still holds `to`' }),
})
const restoring = Type.Object({ image: Type.String({ minLength: 1, maxLength: 600 }), to: digest }, { additionalProperties: false })
const restored = Type.Object({ image: Type.String(), digest, from: Type.Optional(digest) })

export function tagRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const { tags } = house.queries
  return async (app) => {
    app.get<{ Querystring: Static<typeof query> }>(
      '/tags/history',
      { schema: { summary: 'Where a tag pointed, the newest first', querystring: query, response: { 200: pageOf(move) } } },
      async ({ principal, query: { image: named, limit: most, ...rest } }) =>
        tags.history(principal, named, { limit: most ?? 100, ...rest }),
    )
    app.post<{ Body: Static<typeof restoring> }>(
      '/tags/restore',
      {
        onRequest: signedInOnly,
        schema: {
          summary: 'Put a tag back to a digest that it had',
          description: 'Needs the grant push. Refused where the manifest is gone, or the tag is immutable.',
          body: restoring,
          response: { 200: restored },
        },
      },
      async ({ principal, actor, body }) => tags.restore(principal, actor, body.image, body.to),
    )
  }
}
