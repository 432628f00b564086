import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { jobStates, type JobState } from '../../flow/queries/jobs.ts'
import { adminsOnly } from './admins.ts'
import { after, limit } from './schemas.ts'

const state = Type.Union(jobStates.map((word) => Type.Literal(word)))
const instant = Type.String({ format: 'date-time' })

const query = Type.Object(
  {
    state: Type.Optional(state),
    kind: Type.Optional(Type.String({ minLength: 1, maxLength: 60 })),
    limit: Type.Optional(limit),
    after: Type.Optional(after),
  },
  { additionalProperties: false },
)

const job = Type.Object({
  id: Type.Integer(),
  kind: Type.String(),
  subject: Type.String(),
  state,
  attempts: Type.Integer(),
  createdAt: instant,
  runAfter: Type.Optional(instant),
  problem: Type.Optional(Type.String()),
})

const page = Type.Object({
  items: Type.Array(job),
  next: Type.Optional(Type.String({ description: 'for `after`; absent on the last page' })),
  counts: Type.Object({ waiting: Type.Integer(), running: Type.Integer(), failed: Type.Integer() }, { description: 'over all jobs' }),
})

export function jobRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addHook('onRequest', adminsOnly)
    app.get<{ Querystring: Static<typeof query> }>(
      '/jobs',
      { schema: { summary: 'What there is to do, the newest first', querystring: query, response: { 200: page } } },
      async (request) => {
        const { state: wanted, ...rest } = request.query
        return house.queries.jobs({ ...rest, limit: rest.limit ?? 100, ...(wanted === undefined ? {} : { state: wanted as JobState }) })
      },
    )
  }
}
