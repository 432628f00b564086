import { join } from 'node:path'
import { after } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import type { Records } from './records/records.ts'
import { openSqliteRecords } from './records/sqlite.ts'
import { storeSuites } from './suites/suites.ts'

const stack = new AsyncDisposableStack()
const folder = await scratch(stack, 'store')
after(() => stack.disposeAsync())
let opened = 0

async function open(): Promise<Records> {
  const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
  stack.defer(() => records.close())
  return records
}

storeSuites('SQLite', open)
