// The same over PostgreSQL.

import { after, test } from 'node:test'
import { startPostgres } from '../support/postgres.ts'
import { lacking } from '../support/tools.ts'
import { leakSuites } from './leaks/all.ts'
import { type OpenWorld, openWorld } from './support/world.ts'

const skip = lacking('postgres', 'initdb', 'createdb', 'pg_isready')
if (skip === false) await overPostgres()
else test('leaks over PostgreSQL', { skip }, () => undefined)

async function overPostgres(): Promise<void> {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  const server = await startPostgres(stack)
  let opened = 0
  const open: OpenWorld = async (options = {}) =>
    openWorld(stack, { ...options, database: options.database ?? (await server.createDatabase(`world_${++opened}`)) })
  leakSuites({ name: 'PostgreSQL', open })
}
