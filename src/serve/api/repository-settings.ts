import type { FastifyInstance } from 'fastify'
import Type, { type Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { nothing } from './account-schemas.ts'
import { adminsOnly } from './admins.ts'
import { after, limit, pageOf } from './schemas.ts'

// What is said of repositories. What a value is exactly says model/repository-settings.ts; here are their bounds.

const exact = { additionalProperties: false }
const text = (most: number) => Type.Optional(Type.String({ minLength: 1, maxLength: most }))
const settings = {
  owner: text(128),
  contact: text(256),
  labels: Type.Optional(Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: 256 }))),
  environment: text(64),
  visibility: Type.Optional(
    Type.Union([Type.Literal('private'), Type.Literal('public')], { description: 'public: anyone may pull, through the gate' }),
  ),
  immutableTags: Type.Optional(Type.Array(Type.String({ maxLength: 128 }), { maxItems: 64, description: 'patterns of tags such as v*' })),
}
const match = Type.String({ minLength: 1, maxLength: 255, description: 'a repository pattern such as shop/**' })
const rule = Type.Object({ match, ...settings }, exact)
const repository = Type.Object({
  repository: Type.String(),
  settings: Type.Object(settings, exact),
  from: Type.Record(Type.String(), Type.String(), { description: 'which pattern says so, by key' }),
})
const stated = Type.Object({
  rule,
  declared: Type.Boolean({ description: 'in lazaret.yaml, where alone it can be changed' }),
  updatedAt: Type.Optional(Type.String({ format: 'date-time' })),
  updatedBy: Type.Optional(Type.String()),
})
const page = Type.Object({ limit: Type.Optional(limit), after: Type.Optional(after) }, exact)
const byName = Type.Object({ repository: Type.String({ minLength: 1, maxLength: 255 }) }, exact)
const byMatch = Type.Object({ match }, exact)

export function repositoryRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const { repositories } = house.queries
  return async (app) => {
    app.get<{ Querystring: Static<typeof page> }>(
      '/repositories',
      {
        schema: {
          summary: 'Repositories that you may pull, with what is said of them',
          querystring: page,
          response: { 200: pageOf(repository) },
        },
      },
      async ({ principal, query }) => repositories.list(principal, { ...query, limit: query.limit ?? 100 }),
    )
    app.get<{ Querystring: Static<typeof byName> }>(
      '/repositories/settings',
      { schema: { summary: 'What is said of a repository', querystring: byName, response: { 200: repository } } },
      async ({ principal, query }) => repositories.show(principal, query.repository),
    )
    await app.register(ruleRoutes(house))
  }
}

function ruleRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const { repositories } = house.queries
  return async (app) => {
    app.addHook('onRequest', adminsOnly)
    app.get(
      '/repository-settings',
      { schema: { summary: 'What is said of repositories, by pattern', response: { 200: Type.Object({ items: Type.Array(stated) }) } } },
      async () => ({ items: await repositories.rules() }),
    )
    app.put<{ Body: Static<typeof rule> }>(
      '/repository-settings',
      {
        schema: {
          summary: 'Say what holds for repositories of a pattern',
          description: 'In place of all that was said of that pattern.',
          body: rule,
          response: { 204: nothing },
        },
      },
      async ({ body, actor }, reply) => {
        await repositories.set(actor, body)
        return reply.code(204).send()
      },
    )
    app.delete<{ Querystring: Static<typeof byMatch> }>(
      '/repository-settings',
      { schema: { summary: 'Take back what was said of a pattern', querystring: byMatch, response: { 204: nothing } } },
      async ({ query, actor }, reply) => {
        await repositories.remove(actor, query.match)
        return reply.code(204).send()
      },
    )
  }
}
