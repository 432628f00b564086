import { sql } from 'kysely'
import type { FastifyInstance } from 'fastify'
import type { House } from '../flow/house.ts'

/** `live`: the process answers. `ready`: it can serve, part by part. */
export function healthRoutes(house: House): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.get('/health/live', async () => ({ status: 'ok' }))
    app.get('/health/ready', async (_request, reply) => {
      const parts = {
        records: await works(() => sql`select 1`.execute(house.records.read)),
        advisories: await works(async () => house.advisories().revision),
      }
      const ready = Object.values(parts).every((state) => state === 'ok')
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'failing', parts })
    })
  }
}

async function works(look: () => Promise<unknown>): Promise<string> {
  try {
    await look()
    return 'ok'
  } catch (error) {
    return error instanceof Error ? error.message : 'failing'
  }
}
