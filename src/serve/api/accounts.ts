import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { AccountKind } from '../../flow/accounts/administration.ts'
import type { House } from '../../flow/house.ts'
import * as schemas from './account-schemas.ts'
import { after, limit, pageOf } from './schemas.ts'

const page = Type.Object({ limit: Type.Optional(limit), after: Type.Optional(after) }, { additionalProperties: false })

/** What users and robots have in common: the list, removal, and grants. In: `users` or `robots`, as paths have it. */
export function accountRoutes(house: House, kind: AccountKind): (app: FastifyInstance) => Promise<void> {
  const { administration } = house
  const path = `/${kind}s`
  return async (app) => {
    app.get<{ Querystring: Static<typeof page> }>(
      path,
      { schema: { summary: `The ${kind}s and their grants, by name`, querystring: page, response: { 200: pageOf(schemas.account) } } },
      async ({ query }) => administration.list(kind, { ...query, limit: query.limit ?? 100 }),
    )
    app.delete<{ Querystring: Static<typeof schemas.byName> }>(
      path,
      {
        schema: {
          summary: `Remove a ${kind}`,
          description: 'Its tokens end at once.',
          querystring: schemas.byName,
          response: { 204: schemas.nothing },
        },
      },
      async ({ query, actor }, reply) => {
        await administration.remove(actor, { kind, name: query.name })
        return reply.code(204).send()
      },
    )
    app.post<{ Body: Static<typeof schemas.moreGrants> }>(
      `${path}/grants`,
      { schema: { summary: `Give a ${kind} grants`, body: schemas.moreGrants, response: { 204: schemas.nothing } } },
      async ({ body, actor }, reply) => {
        await administration.grant(actor, { kind, name: body.name }, body.grants)
        return reply.code(204).send()
      },
    )
    app.delete<{ Querystring: Static<typeof schemas.fewerGrants> }>(
      `${path}/grants`,
      {
        schema: {
          summary: `Take grants from a ${kind}`,
          description: 'All of them, or none where it lacks one.',
          querystring: schemas.fewerGrants,
          response: { 204: schemas.nothing },
        },
      },
      async ({ query, actor }, reply) => {
        await administration.revoke(actor, { kind, name: query.name }, query.grant)
        return reply.code(204).send()
      },
    )
  }
}
