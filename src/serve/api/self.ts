import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import type { House } from '../../flow/house.ts'
import { signedInOnly } from './admins.ts'

const self = Type.Object({
  kind: Type.Union([Type.Literal('user'), Type.Literal('robot')]),
  name: Type.String(),
  grants: Type.Array(Type.Object({ action: Type.String(), pattern: Type.String() }), {
    description: 'what these credentials are good for here',
  }),
})

/** By this a client checks credentials before it keeps them. */
export function selfRoutes(_house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addHook('onRequest', signedInOnly)
    app.get(
      '/self',
      { schema: { summary: 'Who you are signed in as', response: { 200: self } } },
      async ({ principal: { kind, name, grants } }) => ({ kind, name, grants }),
    )
  }
}
