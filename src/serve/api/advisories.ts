import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { AdvisoryStatus } from '../../flow/advisories/folder.ts'
import { mostImportBytes } from '../../flow/advisories/imports.ts'
import type { House } from '../../flow/house.ts'
import { LazaretError } from '../../kit/errors.ts'
import { parseInstant } from '../../kit/instants.ts'
import { sourceNames } from '../../model/advisory-sources.ts'
import { importReport, importStatus, updateReport } from './advisory-schemas.ts'
import { adminsOnly, signedInOnly } from './admins.ts'
import { revisionRoutes } from './advisory-revisions.ts'

const statusMs = 60_000

const query = Type.Object(
  {
    name: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$', description: 'the file’s, for the report' })),
    allowUnsigned: Type.Optional(Type.Boolean({ description: 'of a signed export: takes one that no trusted key signed' })),
    older: Type.Optional(Type.Boolean({ description: 'of a signed export: takes one that goes back in time' })),
    changed: Type.Optional(Type.String({ maxLength: 60, description: 'an instant: the date of data that carries none itself' })),
  },
  { additionalProperties: false },
)

const updateQuery = Type.Object(
  {
    source: Type.Optional(
      Type.Array(Type.Unsafe<string>({ enum: [...sourceNames] }), { maxItems: 16, description: 'those that are set, where none is named' }),
    ),
    whole: Type.Optional(Type.Boolean({ description: 'forgets what was read before, and reads all of it again' })),
  },
  { additionalProperties: false },
)

export function advisoryRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const status = rememberedStatus(house)
  return async (app) => {
    app.get(
      '/advisories/status',
      {
        onRequest: signedInOnly,
        schema: { summary: 'The advisory data in force: how much, and how old', response: { 200: importStatus } },
      },
      async () => ({ ...status(), fetched: house.advisoryUpdates.rows() }),
    )
    app.post<{ Querystring: Static<typeof updateQuery> }>(
      '/advisories/update',
      {
        onRequest: adminsOnly,
        schema: {
          summary: 'Fetch advisories from their sources',
          description: 'The answer comes when it is done. A source that fails says so in its row, and stops no other.',
          querystring: updateQuery,
          response: { 200: updateReport },
        },
      },
      async ({ actor, query: { source = [], whole = false } }) => house.advisoryUpdates.run(actor, { sources: source, whole }),
    )
    await app.register(importRoutes(house))
    await app.register(revisionRoutes(house))
  }
}

/** Counting takes some 10 ms, in which nobody else is served. */
function rememberedStatus(house: House): () => AdvisoryStatus {
  let known: { status: AdvisoryStatus; at: number } | undefined
  return () => {
    const advisories = house.advisories()
    if (known === undefined || known.status.revision !== advisories.revision || Date.now() - known.at > statusMs)
      known = { status: advisories.status(), at: Date.now() }
    return known.status
  }
}

function importRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null))
    app.post<{ Querystring: Static<typeof query> }>(
      '/advisories/import',
      {
        onRequest: adminsOnly,
        bodyLimit: mostImportBytes,
        schema: {
          summary: 'Send a file of advisory data',
          description:
            'The bytes as application/octet-stream: OSV JSON, JSON lines or zip, a list of a distribution, KEV, an export; also under gzip or zstd.',
          consumes: ['application/octet-stream'],
          querystring: query,
          response: { 200: importReport },
        },
      },
      async (request) => {
        const { name = 'file', changed, ...allowed } = request.query
        const about = { name, ...allowed, ...changedAt(changed) }
        return house.imports.take(request.actor, request.raw, about)
      },
    )
  }
}

function changedAt(text: string | undefined): { changedAt?: number } {
  if (text === undefined) return {}
  const at = parseInstant(text)
  if (at === undefined) throw new LazaretError('INPUT_INVALID', `changed is not an instant: ${JSON.stringify(text.slice(0, 60))}`)
  return { changedAt: at }
}
