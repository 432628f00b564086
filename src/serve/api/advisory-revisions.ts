import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { adminsOnly, signedInOnly } from './admins.ts'
import { exportKey, revisionRow, rollbackReport } from './advisory-schemas.ts'

const target = Type.Object({ revision: Type.String({ maxLength: 40, pattern: '^\\d{6,12}-\\d{8}$' }) }, { additionalProperties: false })

/** Revisions that are kept, and the one in force as a file for elsewhere. */
export function revisionRoutes({ advisoryExports }: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get(
      '/advisories/revisions',
      {
        onRequest: signedInOnly,
        schema: {
          summary: 'Revisions of the advisories that can be gone back to',
          response: { 200: Type.Object({ items: Type.Array(revisionRow) }) },
        },
      },
      async () => ({ items: advisoryExports.revisions() }),
    )
    app.post<{ Body: Static<typeof target> }>(
      '/advisories/rollback',
      {
        onRequest: adminsOnly,
        schema: {
          summary: 'Put a revision that is kept in force again',
          description: 'What it says becomes a revision of its own; images are judged by it at once.',
          body: target,
          response: { 200: rollbackReport },
        },
      },
      async ({ actor, body }) => advisoryExports.rollBack(actor, body.revision),
    )
    app.get(
      '/advisories/key',
      { onRequest: signedInOnly, schema: { summary: 'The public key that signs exports made here', response: { 200: exportKey } } },
      async () => advisoryExports.key(),
    )
    app.get(
      '/advisories/export',
      {
        onRequest: adminsOnly,
        schema: {
          summary: 'The revision in force as one signed file',
          description: 'application/octet-stream: what `lazaret advisories import` takes elsewhere.',
          produces: ['application/octet-stream'],
        },
      },
      async ({ actor }, reply) => {
        const { revision, sizeBytes, body } = await advisoryExports.make(actor)
        return reply
          .type('application/octet-stream')
          .header('content-length', sizeBytes)
          .header('content-disposition', `attachment; filename="advisories-${revision}.zst"`)
          .send(body)
      },
    )
  }
}
