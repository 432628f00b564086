import { after } from 'node:test'
import { join } from 'node:path'
import { scratch } from '../../test/support/scratch.ts'
import { openSqliteRecords } from '../store/records/sqlite.ts'
import type { Records } from '../store/records/records.ts'
import { accountsSuite } from './suites/accounts.ts'
import { signInSuite } from './suites/signin.ts'

const stack = new AsyncDisposableStack()
const folder = await scratch(stack, 'access')
after(() => stack.disposeAsync())
let opened = 0

async function open(): Promise<Records> {
  const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
  stack.defer(() => records.close())
  return records
}

accountsSuite('SQLite', open)
signInSuite('SQLite', open)
