import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { adminsOnly } from './admins.ts'
import { after, decision, digest, image, limit, pageOf } from './schemas.ts'

const instant = Type.String({ format: 'date-time' })
const page = { limit: Type.Optional(limit), after: Type.Optional(after) }
const list = Type.Object(page, { additionalProperties: false })
const ofChange = Type.Object({ change: Type.Integer({ minimum: 1, description: 'its id' }), ...page }, { additionalProperties: false })
const ofImage = Type.Object({ image, ...page }, { additionalProperties: false })

const count = (description: string) => Type.Optional(Type.Integer({ description }))
const came = Type.Object({
  all: Type.Optional(Type.Boolean({ description: 'it was not made from the one before: everything may be another' })),
  added: count('records'),
  changed: count('records'),
  withdrawn: count('records'),
  flaws: count('ids whose severity or known exploitation moved'),
  packages: count('of which something else is said'),
  covered: Type.Optional(Type.Array(Type.String(), { description: 'ecosystems that are judged only since' })),
  dated: Type.Optional(Type.Boolean({ description: 'some data is of a newer day' })),
  artifacts: Type.Optional(Type.Boolean({ description: 'more files are known by their hash' })),
})
const change = Type.Object({
  id: Type.Integer(),
  from: Type.Optional(Type.String()),
  to: Type.String(),
  state: Type.Union([Type.Literal('running'), Type.Literal('done')]),
  noticedAt: instant,
  endedAt: Type.Optional(instant),
  tookMs: Type.Optional(Type.Integer()),
  came,
  versions: Type.Object({ matched: Type.Integer(), moved: Type.Integer() }, { description: 'package versions' }),
  images: Type.Object({ looked: Type.Integer(), moved: Type.Integer(), waiting: Type.Integer() }),
  verdicts: Type.Object({ toDeny: Type.Integer(), toAllow: Type.Integer({ description: 'no longer denied' }), other: Type.Integer() }),
})
const record = Type.Object({ id: Type.String(), what: Type.Union(['added', 'changed', 'withdrawn'].map((word) => Type.Literal(word))) })
const move = Type.Object({
  repository: Type.String(),
  digest,
  from: decision,
  to: decision,
  at: instant,
  reason: Type.Optional(Type.String()),
  change: Type.Optional(Type.Integer({ description: 'the change of advisories that did it' })),
})

export function advisoryChangeRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const { changes } = house.queries
  return async (app) => {
    app.get<{ Querystring: Static<typeof list> }>(
      '/advisories/changes',
      {
        onRequest: adminsOnly,
        schema: {
          summary: 'What came with each revision of the advisories, and what it did',
          querystring: list,
          response: { 200: pageOf(change) },
        },
      },
      async ({ query }) => changes.list(paged(query)),
    )
    app.get<{ Querystring: Static<typeof ofChange> }>(
      '/advisories/changes/records',
      {
        onRequest: adminsOnly,
        schema: { summary: 'Ids of the records that came with a change', querystring: ofChange, response: { 200: pageOf(record) } },
      },
      async ({ query }) => changes.records(query.change, paged(query)),
    )
    app.get<{ Querystring: Static<typeof ofChange> }>(
      '/advisories/changes/images',
      {
        onRequest: adminsOnly,
        schema: { summary: 'Images whose verdict moved by a change', querystring: ofChange, response: { 200: pageOf(move) } },
      },
      async ({ query }) => changes.images(query.change, paged(query)),
    )
    app.get<{ Querystring: Static<typeof ofImage> }>(
      '/images/history',
      { schema: { summary: 'How the verdict of an image moved, the newest first', querystring: ofImage, response: { 200: pageOf(move) } } },
      async ({ principal, query }) => changes.history(principal, query.image, paged(query)),
    )
  }
}

function paged({ limit: most, after: from }: Static<typeof list>) {
  return { limit: most ?? 100, ...(from === undefined ? {} : { after: from }) }
}
