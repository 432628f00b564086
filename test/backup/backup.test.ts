// A backup is taken while clients push and delete and a collection runs; what was acknowledged before it began is pulled from the
// registry that is restored from it.

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'
import { verifyAudit } from '../../src/store/audit-verify.ts'
import { lostOf, nothingYet, repository, type Acknowledged, pushUntilGone, sender } from '../durability/load.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { type Postgres, startPostgres } from '../support/postgres.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { dataOf, lazaretOn, pushSome, rowsOf, withRecords } from './scene.ts'

const clients = 4

describe('backup and restore', { skip: lacking('setpriv', 'postgres', 'initdb', 'createdb', 'pg_isready') }, () => {
  const stack = new AsyncDisposableStack()
  let postgres: Postgres
  before(async () => {
    postgres = await startPostgres(stack)
  })
  after(() => stack.disposeAsync())

  for (const [from, form, to] of [
    ['sqlite', 'folder', 'sqlite'],
    ['postgres', 'archive.tar.zst', 'postgres'],
    ['postgres', 'folder', 'sqlite'],
    ['sqlite', 'archive.tar', 'postgres'],
  ] as const) {
    test(`${from} to ${form} to ${to}, under load`, async () => {
      const database = from === 'sqlite' ? undefined : await postgres.createDatabase(`from_${to}`)
      const env = { LAZARET_GC_GRACE_SECONDS: '3', ...(database === undefined ? {} : { LAZARET_DATABASE: database }) }
      const server = await startLazaret(stack, { policy: 'observe', env })
      const robot = await server.addRobot('ci', 'pull=shop/**')
      const send = await sender(server)
      const known = await pushSome(send, 12)
      const target = join(await scratch(stack, 'backup'), form)
      const taken = await underLoad(server, () => lazaretOn(dataOf(server), database, 'backup', target))
      assert.equal(taken.code, 0, taken.output)
      assert.match(taken.stdout, / is whole: 1 repositories, /)
      assert.equal((await lazaretOn(dataOf(server), database, 'backup', '--verify', target)).code, 0)
      const verified = await lazaretOn(dataOf(server), database, 'backup', '--verify', target)
      assert.equal(verified.code, 0, verified.output)
      await server.daemon.stop()

      const folder = await scratch(stack, 'restored')
      const toDatabase = to === 'sqlite' ? undefined : await postgres.createDatabase(`to_${from}`)
      const data = join(folder, 'data')
      const restored = await lazaretOn(data, toDatabase, 'restore', target)
      assert.equal(restored.code, 0, restored.output)
      const again = await lazaretOn(data, toDatabase, 'restore', target)
      assert.equal(again.code, 1)
      assert.match(again.stderr, /is not empty/)

      const second = await startLazaret(stack, {
        policy: 'observe',
        env: toDatabase === undefined ? {} : { LAZARET_DATABASE: toDatabase },
        after: { ...server, folder },
      })
      // The token was signed before the backup: the key is the same.
      assert.deepEqual(await lostOf(send, known), [], 'all that was acknowledged before the backup began')
      assert.equal((await second.protocol(robot).tags(repository)).includes('kept-0'), true, 'robots sign in as before')
      assert.ok((await pushSome(send, 2, 'after')).manifests.size === 2, 'new ids are free')
      const audit = await second.lazaret(['users', 'list', '--format', 'json'])
      assert.match(audit.stdout, /"developer"/)
      await second.daemon.stop()
      await withRecords(data, toDatabase, async (records) => {
        const { broken, rows } = await verifyAudit(records)
        assert.equal(broken, undefined)
        assert.ok(rows > 5, String(rows))
        const actions = await records.read
          .selectFrom('audit_log')
          .select('action')
          .where('action', 'like', 'backup.%')
          .orderBy('id')
          .execute()
        assert.deepEqual(
          actions.map(({ action }) => action),
          ['backup.take', 'backup.restore'],
        )
      })
    })
  }

  /** Runs it while clients push, delete and collect. */
  async function underLoad<T>(server: Lazaret, work: () => Promise<T>): Promise<T> {
    const send = await sender(server)
    const remover = server.protocol(server.developer)
    let isDone = false
    const known: Acknowledged = nothingYet()
    const stopped = async (method: string, path: string, body?: Buffer, type?: string) => {
      if (isDone) throw new TypeError('done')
      return send(method, path, body, type)
    }
    const pushing = Array.from({ length: clients }, (_, at) => pushUntilGone(stopped, known, `load${at}`, () => isDone))
    const removing = (async () => {
      let removed = 0
      while (!isDone) {
        const [digest] = [...known.manifests.keys()].slice(removed)
        if (digest !== undefined) {
          removed++
          assert.ok([202, 404].includes((await remover.remove(repository, digest)).status))
        }
        const collected = await server.lazaret(['gc', '--format', 'json'])
        assert.equal(collected.code, 0, collected.output)
      }
      return removed
    })()
    try {
      await sleep(5000) // what was deleted first dies while the backup runs
      return await work()
    } finally {
      isDone = true
      await Promise.all(pushing)
      assert.ok((await removing) > 0, 'something was deleted meanwhile')
    }
  }

  test('row by row the same, over both databases', async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    await pushSome(await sender(server), 3)
    await server.daemon.stop()
    const target = join(await scratch(stack, 'rows'), 'backup')
    const data = dataOf(server)
    assert.equal((await lazaretOn(data, undefined, 'backup', target)).code, 0, 'without a server')
    const original = await withRecords(data, undefined, rowsOf)
    assert.ok(Object.values(original).filter((rows) => rows.length > 0).length > 10)
    for (const database of [undefined, await postgres.createDatabase('rows')]) {
      const restored = join(await scratch(stack, 'rows'), 'data')
      assert.equal((await lazaretOn(restored, database, 'restore', target)).code, 0)
      assert.deepEqual(await withRecords(restored, database, rowsOf), original)
      const advisories = await readFile(join(restored, 'advisories', 'current'), 'utf8')
      assert.equal(advisories, await readFile(join(data, 'advisories', 'current'), 'utf8'))
    }
    const used = await lazaretOn(join(await scratch(stack, 'rows'), 'data'), await postgres.createDatabase('unused'), 'restore', target)
    assert.equal(used.code, 0)
  })

  test('a database that is not empty is left alone', async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    await server.daemon.stop()
    const target = join(await scratch(stack, 'used'), 'backup')
    assert.equal((await lazaretOn(dataOf(server), undefined, 'backup', target)).output.includes('is whole'), true)
    const database = await postgres.createDatabase('used')
    const other = await startLazaret(stack, { policy: 'observe', env: { LAZARET_DATABASE: database } })
    await other.daemon.stop()
    const data = join(await scratch(stack, 'used'), 'data')
    const refused = await lazaretOn(data, database, 'restore', target)
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /the database is not empty/)
    assert.equal(existsSync(join(data, 'keys')), false)
  })

  test('the hold of objects is gone after a backup, and nothing of it is in the backup', async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    const target = join(await scratch(stack, 'lease'), 'backup')
    assert.equal((await lazaretOn(dataOf(server), undefined, 'backup', target)).output.includes('is whole'), true)
    await server.daemon.stop()
    const { manifest } = JSON.parse(await readFile(join(target, 'backup.json'), 'utf8')) as { manifest: { set: string } }
    for (const path of [join(dataOf(server), 'records.sqlite'), join(target, manifest.set, 'records.sqlite')]) {
      const database = new DatabaseSync(path, { readOnly: true })
      const keys = database.prepare('select key from meta').all()
      assert.ok(keys.some((row) => row['key'] === 'schema'))
      assert.equal(
        keys.find((row) => row['key'] === 'backup'),
        undefined,
      )
      database.close()
    }
  })
})
