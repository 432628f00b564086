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
    address: text('from where: an IP address, or local'),
    result: Type.Optional(Type.Union([Type.Literal('done'), Type.Literal('refused')])),
    repository: text('what was done to that repository, its tags and its manifests'),
    since: text('an instant'),
    until: text('an instant'),
    order: Type.Optional(
      Type.Union([Type.Literal('newest'), Type.Literal('oldest')], { description: 'which comes first; by default the newest' }),
    ),
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
  previous: Type.String({ description: 'the hash of the row before' }),
  hash: Type.String({ description: 'SHA-256 over `previous` and the row' }),
})

const link = Type.Object({ id: Type.Integer(), hash: Type.String() })
const kept = Type.Object(
  { head: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}:[0-9a-f]{64}$', description: 'ID:HASH of a row, as kept elsewhere' })) },
  { additionalProperties: false },
)
const verification = Type.Object({
  rows: Type.Integer({ description: 'found whole' }),
  head: link,
  anchor: Type.Optional(Type.Object({ id: Type.Integer(), hash: Type.String() }, { description: 'the last that was cut away by age' })),
  broken: Type.Optional(
    Type.Object({
      id: Type.Integer(),
      what: Type.Union(['changed', 'missing', 'reordered'].map((word) => Type.Literal(word))),
      message: Type.String(),
    }),
  ),
})

export function auditLogRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addHook('onRequest', adminsOnly)
    app.get<{ Querystring: Static<typeof query> }>(
      '/audit-log',
      { schema: { summary: 'What was done, by whom', querystring: query, response: { 200: pageOf(entry) } } },
      async ({ query: { order, limit: most, ...filters } }) =>
        house.queries.auditLog({ ...filters, oldestFirst: order === 'oldest', limit: most ?? 100 }),
    )
    app.get<{ Querystring: Static<typeof kept> }>(
      '/audit-log/verification',
      { schema: { summary: 'Whether the chain of the audit log holds', querystring: kept, response: { 200: verification } } },
      async ({ query: { head } }) => {
        const [id, hash] = head?.split(':') ?? []
        return house.queries.verifyAudit(id === undefined || hash === undefined ? undefined : { id: Number(id), hash })
      },
    )
  }
}
