import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { CollectionRun } from '../../flow/collection.ts'
import type { House } from '../../flow/house.ts'
import { adminsOnly } from './admins.ts'
import { digest, limit } from './schemas.ts'

const instant = Type.String({ format: 'date-time' })
const repository = Type.String({ minLength: 1, maxLength: 255 })
/** Below what proxies and clients allow a request. */
const mostWaitSeconds = 25

const freed = Type.Object({
  links: Type.Integer({ description: 'of repositories to blobs' }),
  manifests: Type.Integer(),
  blobs: Type.Integer(),
  uploads: Type.Integer({ description: 'that nobody ended' }),
  objects: Type.Integer({ description: 'files of blobs' }),
  bytes: Type.Integer({ description: 'of those files' }),
})

const run = Type.Object({
  id: Type.Integer(),
  state: Type.Union([Type.Literal('running'), Type.Literal('ended'), Type.Literal('broken')]),
  dryRun: Type.Boolean({ description: 'counted, and freed nothing' }),
  startedBy: Type.String(),
  startedAt: instant,
  endedAt: Type.Optional(instant),
  freed,
  problem: Type.Optional(Type.String()),
})

const deletedManifest = Type.Object({
  repository,
  digest,
  tags: Type.Array(Type.String()),
  deletedAt: instant,
  deletedBy: Type.String(),
})

const damagedBlob = Type.Object({
  digest,
  sizeBytes: Type.Integer(),
  damagedAt: instant,
  damage: Type.String(),
  manifests: Type.Integer({ description: 'that hold it, and are denied for it' }),
})

const scrubStatus = Type.Object({
  bytesPerSecond: Type.Integer({ description: '0: never' }),
  blobs: Type.Integer({ description: 'those that are not damaged' }),
  bytes: Type.Integer(),
  dueBlobs: Type.Integer({ description: 'of these, what is still to be read in this pass' }),
  dueBytes: Type.Integer(),
  damagedBlobs: Type.Integer(),
})

const wait = Type.Optional(Type.Integer({ minimum: 0, maximum: mostWaitSeconds, description: 'seconds to wait for its end' }))
const asked = Type.Object({ dryRun: Type.Optional(Type.Boolean()), wait }, { additionalProperties: false })
const runPage = Type.Object(
  { id: Type.Optional(Type.Integer({ minimum: 1 })), wait, limit: Type.Optional(limit) },
  { additionalProperties: false },
)
const page = Type.Object({ limit: Type.Optional(limit) }, { additionalProperties: false })
const deletedPage = Type.Object({ limit: Type.Optional(limit), repository: Type.Optional(repository) }, { additionalProperties: false })
const which = Type.Object({ repository, digest }, { additionalProperties: false })
const listOf = <T extends Type.TSchema>(items: T) => Type.Object({ items: Type.Array(items) })

/** Collection, what can be put back, and what the scrub found. */
export function collectionRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const { collections, scrub } = house
  return async (app) => {
    app.addHook('onRequest', adminsOnly)
    app.post<{ Querystring: Static<typeof asked> }>(
      '/gc',
      {
        schema: {
          summary: 'Collect what nothing needs any more, and say what was freed',
          description: 'Where it is still running after `wait`, it goes on: ask for it by its id.',
          querystring: asked,
          response: { 200: run },
        },
      },
      async ({ query, actor }) =>
        shown(await collections.run(actor, { dryRun: query.dryRun ?? false, waitMs: (query.wait ?? mostWaitSeconds) * 1000 })),
    )
    app.get<{ Querystring: Static<typeof runPage> }>(
      '/gc',
      { schema: { summary: 'Collections, the latest first, or the one of an id', querystring: runPage, response: { 200: listOf(run) } } },
      async ({ query }) => {
        const runs =
          query.id === undefined ? await collections.list(query.limit ?? 100) : [await collections.find(query.id, (query.wait ?? 0) * 1000)]
        return { items: runs.map(shown) }
      },
    )
    app.get<{ Querystring: Static<typeof deletedPage> }>(
      '/gc/deleted',
      {
        schema: { summary: 'Deleted manifests that can be put back', querystring: deletedPage, response: { 200: listOf(deletedManifest) } },
      },
      async ({ query }) => {
        const { limit: most = 100, ...rest } = query
        const items = await collections.deleted({ ...rest, most })
        return { items: items.map((one) => ({ ...one, deletedAt: new Date(one.deletedAt).toISOString() })) }
      },
    )
    app.post<{ Body: Static<typeof which> }>(
      '/gc/undo',
      {
        schema: {
          summary: 'Put a deleted manifest back, with those of its tags that are free',
          body: which,
          response: { 200: Type.Object({ repository, digest, tags: Type.Array(Type.String()) }) },
        },
      },
      async ({ body, actor }) => collections.restore(actor, body.repository, body.digest),
    )
    app.get('/scrub', { schema: { summary: 'How far the scrub is', response: { 200: scrubStatus } } }, async () => scrub.status())
    app.post(
      '/scrub',
      { schema: { summary: 'Have every blob read again, whenever it was read last', response: { 200: scrubStatus } } },
      async ({ actor }) => scrub.again(actor),
    )
    app.get<{ Querystring: Static<typeof page> }>(
      '/damaged',
      {
        schema: {
          summary: 'Blobs whose bytes on disk are no longer those of their digest',
          querystring: page,
          response: { 200: listOf(damagedBlob) },
        },
      },
      async ({ query }) => {
        const items = await scrub.damaged(query.limit ?? 100)
        return { items: items.map((one) => ({ ...one, damagedAt: new Date(one.damagedAt).toISOString() })) }
      },
    )
  }
}

function shown(one: CollectionRun): Static<typeof run> {
  const { startedAt, endedAt, ...rest } = one
  return {
    ...rest,
    startedAt: new Date(startedAt).toISOString(),
    ...(endedAt === undefined ? {} : { endedAt: new Date(endedAt).toISOString() }),
  }
}
