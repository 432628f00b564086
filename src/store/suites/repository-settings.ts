import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { granted } from '../../model/access.ts'
import type { Records } from '../records/records.ts'
import { createRepositorySettings, type RepositorySettingsParts } from '../repository-settings.ts'
import type { OpenRecords } from './records.ts'

const ada = { principal: 'user:ada', address: '192.0.2.1' }

/** Settings of repositories by pattern (repository_settings). */
export function repositorySettingsSuite(implementation: string, open: OpenRecords): void {
  const clock = { now: 1_800_000_000_000 }
  const over = (records: Records, more: Partial<RepositorySettingsParts> = {}) =>
    createRepositorySettings({ records, declared: [], publicPatterns: [], now: () => clock.now, ...more })

  describe(`repository settings over ${implementation}`, () => {
    test('set, read, replaced in full, taken back; each is in the audit log with what was before', async () => {
      const records = await open()
      const settings = over(records)
      assert.deepEqual(await settings.of('shop/api'), { values: {}, from: {} })
      await settings.set(ada, { match: 'shop/**', owner: 'shop', immutableTags: ['v*'] })
      assert.deepEqual(await settings.of('shop/api'), {
        values: { owner: 'shop', immutableTags: ['v*'] },
        from: { owner: 'shop/**', immutableTags: 'shop/**' },
      })
      assert.deepEqual(await settings.immutableTags('shop/api'), { patterns: ['v*'], match: 'shop/**' })
      await settings.set(ada, { match: 'shop/**', contact: 'shop@example' })
      assert.deepEqual((await settings.of('shop/api')).values, { contact: 'shop@example' })
      assert.equal(await settings.immutableTags('shop/api'), undefined)
      assert.deepEqual((await settings.rules())[0], {
        rule: { match: 'shop/**', contact: 'shop@example' },
        declared: false,
        updatedAt: clock.now,
        updatedBy: 'user:ada',
      })
      await settings.remove(ada, 'shop/**')
      assert.deepEqual(await settings.rules(), [])
      await assert.rejects(settings.remove(ada, 'shop/**'), { code: 'NOT_FOUND' })
      const rows = await records.read.selectFrom('audit_log').selectAll().orderBy('id').execute()
      assert.deepEqual(
        rows.map((row) => [row.action, row.subject, row.principal]),
        ['set', 'set', 'remove'].map((verb) => [`repository-settings.${verb}`, 'repositories:shop/**', 'user:ada']),
      )
      assert.deepEqual(JSON.parse(rows[1]?.detail ?? ''), {
        before: { match: 'shop/**', owner: 'shop', immutableTags: ['v*'] },
        after: { match: 'shop/**', contact: 'shop@example' },
      })
    })

    test('an empty list ends what a wider pattern says', async () => {
      const settings = over(await open())
      await settings.set(ada, { match: '**', immutableTags: ['*'] })
      await settings.set(ada, { match: 'shop/*', immutableTags: [] })
      assert.equal(await settings.immutableTags('shop/api'), undefined)
      assert.deepEqual(await settings.immutableTags('other'), { patterns: ['*'], match: '**' })
    })

    test('what is declared stands, is shown as such, and is not changed here', async () => {
      const records = await open()
      await over(records).set(ada, { match: 'shop/**', owner: 'someone' })
      const settings = over(records, { declared: [{ match: 'shop/**', owner: 'shop' }] })
      assert.equal((await settings.of('shop/api')).values.owner, 'shop')
      assert.deepEqual(await settings.rules(), [{ rule: { match: 'shop/**', owner: 'shop' }, declared: true }])
      await assert.rejects(settings.set(ada, { match: 'shop/**' }), { code: 'CONFLICT', message: /declared in lazaret\.yaml/ })
      await assert.rejects(settings.remove(ada, 'shop/**'), { code: 'CONFLICT' })
      await settings.set(ada, { match: 'shop/api', owner: 'api' })
      assert.equal((await settings.of('shop/api')).values.owner, 'api')
    })

    test('public: by rule and by the setting, save what is private within it', async () => {
      const settings = over(await open(), { publicPatterns: ['open/**'] })
      await settings.set(ada, { match: 'docs/**', visibility: 'public' })
      await settings.set(ada, { match: 'docs/secret', visibility: 'private' })
      await settings.set(ada, { match: 'open/closed/**', visibility: 'private' })
      const grants = [...(await settings.publicGrants())]
      const may = (name: string) => granted({ kind: 'anonymous', name: 'anonymous', grants }, 'pull', name)
      assert.deepEqual(['docs/a', 'docs/secret', 'open/a', 'open/closed/a', 'shop/api'].map(may), [true, false, true, false, false])
      assert.ok(grants.every((grant) => grant.action === 'pull'))
      assert.equal((await settings.of('open/a')).values.visibility, 'public')
      await settings.set(ada, { match: 'open/**', visibility: 'private' })
      assert.equal((await settings.publicGrants()).length, 1)
    })

    test('a change elsewhere is known within two seconds, one of our own at once', async () => {
      const records = await open()
      const [here, there] = [over(records), over(records)]
      assert.deepEqual(await there.rules(), [])
      await here.set(ada, { match: 'a', owner: 'x' })
      assert.equal((await here.rules()).length, 1)
      clock.now += 2001
      assert.equal((await there.rules()).length, 1)
    })

    test('what can not be read closes: it is no empty list', async () => {
      const records = await open()
      let broken = true
      const failing: Records = {
        ...records,
        prepare: (text) => ({
          ...records.prepare(text),
          all: (...parameters) =>
            broken ? Promise.reject(new Error('the database is gone')) : records.prepare<never>(text).all(...parameters),
        }),
      }
      const settings = over(failing)
      await assert.rejects(settings.immutableTags('shop/api'), /the database is gone/)
      await assert.rejects(settings.publicGrants(), /the database is gone/)
      broken = false
      assert.equal(await settings.immutableTags('shop/api'), undefined)
    })
  })
}
