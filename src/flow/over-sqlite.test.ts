import { join } from 'node:path'
import { after } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import type { Records } from '../store/records/records.ts'
import { openSqliteRecords } from '../store/records/sqlite.ts'
import { examinationsSuite } from './suites/examinations.ts'
import { inventoriesSuite } from './suites/inventories.ts'
import { judgingSuite } from './suites/judging.ts'

const stack = new AsyncDisposableStack()
const folder = await scratch(stack, 'flow')
after(() => stack.disposeAsync())
let opened = 0

async function open(): Promise<Records> {
  const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
  stack.defer(() => records.close())
  return records
}

for (const suite of [judgingSuite, inventoriesSuite, examinationsSuite]) suite('SQLite', open)
