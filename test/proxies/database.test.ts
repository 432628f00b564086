// PostgreSQL by TLS, whose certificate is by an authority of its own.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openAuthority } from '../support/authority.ts'
import { launcher, startLazaret } from '../support/lazaret.ts'
import { startPostgres } from '../support/postgres.ts'
import { run } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'

describe('records in PostgreSQL by TLS', { skip: lacking('initdb', 'postgres', 'createdb', 'openssl', 'setpriv') }, () => {
  test('network.ca makes its authority known, and without it the server does not start', async () => {
    await using stack = new AsyncDisposableStack()
    const authority = await openAuthority(stack)
    const postgres = await startPostgres(stack, await authority.issue('127.0.0.1'))
    const LAZARET_DATABASE = `${await postgres.createDatabase('lazaret')}?sslmode=verify-full`
    const folder = await scratch(stack, 'unknown')
    const env = { LAZARET_DATABASE, LAZARET_DATA: join(folder, 'data'), LAZARET_LISTEN: '127.0.0.1:0' }
    const refused = await run(launcher, ['serve'], { cwd: folder, env })
    assert.equal(refused.code, 1, refused.output)
    assert.match(refused.stderr, /the database does not answer: .*certificate/)
    const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_DATABASE, LAZARET_NETWORK_CA: authority.file } })
    assert.equal((await server.api('/users')).status, 200)
  })
})
