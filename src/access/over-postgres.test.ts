import { after, test } from 'node:test'
import { startPostgres } from '../../test/support/postgres.ts'
import { lacking } from '../../test/support/tools.ts'
import { openPostgresRecords } from '../store/records/postgres.ts'
import type { Records } from '../store/records/records.ts'
import { accountsSuite } from './suites/accounts.ts'
import { signInSuite } from './suites/signin.ts'

const skip = lacking('postgres', 'initdb', 'createdb', 'pg_isready')
if (skip === false) await overPostgres()
else test('accounts and sign-in over PostgreSQL', { skip }, () => undefined)

async function overPostgres(): Promise<void> {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  const server = await startPostgres(stack)
  const records = await openPostgresRecords(await server.createDatabase('access'))
  stack.defer(() => records.close())
  const open = () => emptied(records)
  accountsSuite('PostgreSQL', open)
  signInSuite('PostgreSQL', open)
}

async function emptied(records: Records): Promise<Records> {
  await records.write(async (tx) => {
    for (const table of ['users', 'robots', 'grants', 'audit_log'] as const) await tx.deleteFrom(table).execute()
  })
  return records
}
