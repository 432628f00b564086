// What an operator looks at, over PostgreSQL: figures, readiness and the doctor; also while the database is gone.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import { eventually } from '../protocol/support/eventually.ts'
import { sha256 } from '../support/content.ts'
import { imageOf } from '../support/images.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { lacking } from '../support/tools.ts'
import { repository, sender, type Send } from './load.ts'

describe('over PostgreSQL', { skip: lacking('setpriv', 'postgres', 'initdb', 'createdb', 'pg_isready') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  let postgres: Postgres
  let database: string
  let server: Lazaret
  let send: Send

  before(async () => {
    postgres = await startPostgres(stack)
    database = await postgres.createDatabase('operated')
    server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_DATABASE: database, LAZARET_LIMITS_OPEN_UPLOADS: '3' } })
    send = await sender(server)
  })

  test('the store is counted as it is', async () => {
    const image = await imageOf([{ 'a.txt': 'a' }, { 'b.txt': 'b' }])
    await server.protocol(server.developer).push(repository, image, '1')
    const verdict = await server.api(`/verdict?image=${repository}:1&wait=60`)
    assert.match(verdict.body.toString(), /"decision":"(allow|warn|deny)"/)
    assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/`)).status, 202)
    const bytes = [...image.blobs.values()].reduce((sum, blob) => sum + blob.length, 0)
    await eventually(async () => {
      const metrics = (await server.protocol(server.admin).askBasic('/metrics')).body.toString()
      const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1])
      assert.equal(value('lazaret_store_blobs'), image.blobs.size)
      assert.equal(value('lazaret_store_bytes'), bytes)
      assert.equal(value('lazaret_uploads_open'), 1)
      const verdicts = [...metrics.matchAll(/^lazaret_verdicts\{.*\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0)
      assert.equal(verdicts, 1)
    }, 1500)
  })

  test('no more uploads are open than may be', async () => {
    const begun: string[] = []
    let answer: Response
    do {
      answer = await send('POST', `/v2/${repository}/blobs/uploads/`)
      if (answer.status === 202) begun.push(answer.headers.get('location') ?? '')
    } while (answer.status === 202 && begun.length < 10)
    assert.deepEqual([begun.length, answer.status], [2, 429], 'one is open already')
    assert.match(await answer.text(), /"TOOMANYREQUESTS".*3 uploads are begun and not ended/)
    for (const path of begun) assert.equal((await send('DELETE', path)).status, 204)
    const blob = randomBytes(100)
    await eventually(async () =>
      assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)).status, 201),
    )
  })

  test('the doctor finds nothing wrong, beside the server and the database', async () => {
    const env = { LAZARET_DATA: `${server.folder}/data`, LAZARET_DATABASE: database, LAZARET_POLICY: 'observe' }
    const { code, stdout, stderr } = await server.lazaret(['doctor', '--format', 'json'], { env })
    const { wrong, found } = JSON.parse(stdout) as { wrong: number; found: { check: string; standing: string; says: string }[] }
    assert.deepEqual([code, wrong], [0, 0], stdout + stderr)
    assert.equal(found.find(({ check }) => check === 'records')?.standing, 'fine', stdout)
  })

  test('connections that the database ends are made anew', async () => {
    const client = new pg.Client({ connectionString: database })
    await client.connect()
    await client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await client.end()
    await eventually(async () => assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200))
    const blob = randomBytes(100)
    assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)).status, 201)
  })

  test('without the database it is alive and not ready, says why, lets nothing through, and the doctor says what is wrong', async () => {
    await postgres.daemon.stop()
    const ready = await fetch(`http://${server.host}/health/ready`)
    assert.equal(ready.status, 503)
    assert.match(await ready.text(), /"records":"failing: [^"]+"/)
    assert.equal((await fetch(`http://${server.host}/health/live`)).status, 200)
    const pull = await send('GET', `/v2/${repository}/manifests/1`)
    assert.ok(pull.status >= 500, `${pull.status}`)
    const env = { LAZARET_DATA: `${server.folder}/data`, LAZARET_DATABASE: database, LAZARET_POLICY: 'observe' }
    const { code, stdout } = await server.lazaret(['doctor'], { env })
    assert.equal(code, 1)
    assert.match(stdout, /^records +wrong +/m)
    assert.equal(await server.daemon.stop(), 0, server.daemon.log().slice(-2000))
  })
})
