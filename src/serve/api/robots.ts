import type { FastifyInstance } from 'fastify'
import type { Static } from 'typebox'
import type { House } from '../../flow/house.ts'
import { newRobot, robotToken } from './account-schemas.ts'
import { accountRoutes } from './accounts.ts'
import { adminsOnly } from './admins.ts'

export function robotRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addHook('onRequest', adminsOnly)
    await app.register(accountRoutes(house, 'robot'))
    app.post<{ Body: Static<typeof newRobot> }>(
      '/robots',
      {
        schema: {
          summary: 'Add a robot, and get its token',
          description: 'The token is in this answer and nowhere else.',
          body: newRobot,
          response: { 201: robotToken },
        },
      },
      async ({ body, actor }, reply) => {
        const made = await house.administration.addRobot(actor, { grants: [], ...body })
        return reply
          .code(201)
          .header('cache-control', 'no-store')
          .send({ name: body.name, ...made })
      },
    )
  }
}
