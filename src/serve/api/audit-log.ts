import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { adminsOnly } from './admins.ts'
import { after, limit, pageOf } from './schemas.ts'

const text = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 512, description }))
const instant = Type.String({ format: 'date-time' })

const query = Type.Object(
  {
    principal: text('who did it: user:bob, robot:ci, anonymous, system'),
    action: text('what was done: user.add, tag.delete, image.read-quarantined'),
    subject: text('to what: user:bob, shop/api:1.4.2'),
    since: text('an instant'),
    until: text('an instant'),
    limit: Type.Optional(limit),
    after: Type.Optional(after),
  },
  { additionalProperties: false },
)

const entry = Type.Object({
  id: Type.Integer(),
  at: instant,
  principal: Type.String(),
  address: Type.String(),
  action: Type.String(),
  subject: Type.String(),
  result: Type.String({ description: 'done or refused' }),
  detail: Type.Record(Type.String(), Type.Unknown()),
})

export function auditLogRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addHook('onRequest', adminsOnly)
    app.get<{ Querystring: Static<typeof query> }>(
      '/audit-log',
      { schema: { summary: 'What was done, by whom, the newest first', querystring: query, response: { 200: pageOf(entry) } } },
      async (request) => house.queries.auditLog({ ...request.query, limit: request.query.limit ?? 100 }),
    )
  }
}
