import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { newPassword, newUser, nothing } from './account-schemas.ts'
import { accountRoutes } from './accounts.ts'
import { adminsOnly } from './admins.ts'

export function userRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  const { administration } = house
  return async (app) => {
    app.addHook('onRequest', adminsOnly)
    await app.register(accountRoutes(house, 'user'))
    app.post<{ Body: Static<typeof newUser> }>(
      '/users',
      { schema: { summary: 'Add a user', body: newUser, response: { 204: nothing } } },
      async ({ body, actor }, reply) => {
        await administration.addUser(actor, { grants: [], ...body })
        return reply.code(204).send()
      },
    )
    app.put<{ Body: Static<typeof newPassword> }>(
      '/users/password',
      {
        schema: {
          summary: 'Set the password of a user',
          description: 'Its tokens end at once.',
          body: newPassword,
          response: { 204: nothing },
        },
      },
      async ({ body, actor }, reply) => {
        await administration.setPassword(actor, body.name, body.password)
        return reply.code(204).send()
      },
    )
  }
}
