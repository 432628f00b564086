import { after, test } from 'node:test'
import { lacking } from '../../test/support/tools.ts'
import { startEmptiedPostgres } from '../store/suites/postgres.ts'
import { examinationsSuite } from './suites/examinations.ts'
import { inventoriesSuite } from './suites/inventories.ts'
import { judgingSuite } from './suites/judging.ts'

const skip = lacking('postgres', 'initdb', 'createdb', 'pg_isready')
if (skip === false) await overPostgres()
else test('the flow over PostgreSQL', { skip }, () => undefined)

async function overPostgres(): Promise<void> {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  const { open } = await startEmptiedPostgres(stack, 'flow')
  for (const suite of [judgingSuite, inventoriesSuite, examinationsSuite]) suite('PostgreSQL', open)
}
