// Tags, pulls, settings of repositories and the audit log, on a server as its users have it.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { critical, fixedImage, pushAndJudge } from '../support/held.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { startPostgres } from '../support/postgres.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { askerOf, type AskApi } from './asking.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())

overRecords('SQLite', false, async () => ({}))
overRecords('PostgreSQL', lacking('postgres', 'initdb', 'createdb', 'pg_isready'), async () => {
  const postgres = await startPostgres(stack)
  return { LAZARET_DATABASE: await postgres.createDatabase('ledger') }
})

function overRecords(place: string, skip: string | false, open: () => Promise<Record<string, string>>): void {
  describe(`tags, pulls, settings and the audit log over ${place}`, { skip }, () => {
    let server: Lazaret
    let ask: AskApi
    let env: Record<string, string>
    let puller: { username: string; password: string }
    const digests: string[] = []

    before(async () => {
      const folder = await scratch(stack, 'config')
      const config = join(folder, 'lazaret.yaml')
      writeFileSync(config, 'repositories:\n  - { match: "lib/**", owner: platform, visibility: public }\n')
      env = { ...(await open()), LAZARET_CONFIG: config }
      server = await startLazaret(stack, { policy: 'observe', env })
      ask = askerOf(server.host, server.admin)
      puller = await server.addRobot('puller', 'pull=shop/**')
      for (const name of ['one', 'two']) {
        await pushAndJudge(server, 'shop/api', 'latest', await fixedImage(critical, name), 'allow')
        digests.push((await server.protocol(puller).manifest('shop/api', 'latest')).headers.get('docker-content-digest') ?? '')
      }
      assert.equal(new Set(digests).size, 2)
    })

    test('the history of a tag, and what it was put back', async () => {
      const history = async () => (await ask('GET', '/tags/history?image=shop/api:latest', { as: puller })).json
      const first = await history()
      assert.deepEqual(
        first.items.map((item: { to: string; from?: string; by: string; way: string; restorable: boolean }) => [
          item.from,
          item.to,
          item.by,
          item.way,
          item.restorable,
        ]),
        [
          [digests[0], digests[1], 'user:admin', 'push', true],
          [undefined, digests[0], 'user:admin', 'push', true],
        ],
      )
      const body = { image: 'shop/api:latest', to: digests[0] }
      assert.equal((await ask('POST', '/tags/restore', { as: puller, body })).status, 403)
      const restored = await ask('POST', '/tags/restore', { as: server.developer, body })
      assert.deepEqual(restored.json, { image: 'shop/api:latest', digest: digests[0], from: digests[1] })
      assert.equal((await server.protocol(puller).manifest('shop/api', 'latest')).headers.get('docker-content-digest'), digests[0])
      const again = await server.lazaret(['tags', 'restore', 'shop/api:latest', '--to', digests[1] ?? ''])
      assert.equal(again.code, 0, again.output)
      const listed = await server.lazaret(['tags', 'history', `${server.host}/shop/api:latest`, '--format', 'json'])
      assert.deepEqual(
        (JSON.parse(listed.stdout) as { items: { way: string; by: string }[] }).items.slice(0, 2).map((item) => `${item.way} ${item.by}`),
        ['restore user:admin', 'restore user:developer'],
      )
      const page = await ask('GET', '/tags/history?image=shop/api:latest&limit=1')
      assert.equal(page.json.items.length, 1)
      const next = await ask('GET', `/tags/history?image=shop/api:latest&limit=1&after=${page.json.next}`)
      assert.equal(next.json.items[0].by, 'user:developer')
    })

    test('what the asker may not pull is as if it were not there', async () => {
      const stranger = await server.addUser('stranger', 'pull=other/**', 'push=other/**')
      for (const path of [
        '/tags/history?image=shop/api:latest',
        '/tags/history?image=shop/none:latest',
        '/pulls?image=shop/api:latest',
        '/pulls?image=shop/none:1',
        '/repositories/settings?repository=shop/api',
        '/repositories/settings?repository=shop/none',
      ]) {
        const { status, text } = await ask('GET', path, { as: stranger })
        assert.equal(status, 404, `${path}: ${text}`)
      }
      const restoring = { as: stranger, body: { image: 'shop/api:latest', to: digests[0] } }
      assert.equal((await ask('POST', '/tags/restore', restoring)).status, 404)
      const listed = (await ask('GET', '/repositories', { as: stranger })).json.items as { repository: string }[]
      assert.ok(!listed.some(({ repository }) => repository.startsWith('shop/')))
      assert.equal((await ask('GET', '/pulls?image=shop/api:latest', { as: puller })).status, 403, 'who else pulls is no puller’s affair')
    })

    test('an immutable tag: a push that moves it is told the rule and its digest, also by docker’s form', async () => {
      const set = await server.lazaret(['repositories', 'set', 'shop/**', '--owner', 'shop', '--label', 'tier=1', '--immutable', 'v*'])
      assert.equal(set.code, 0, set.output)
      const developer = server.protocol(server.developer)
      const one = await developer.manifest('shop/api', digests[0] ?? '')
      const two = await developer.manifest('shop/api', digests[1] ?? '')
      const put = (tag: string, manifest: typeof one) =>
        developer.ask(`/v2/shop/api/manifests/${tag}`, {
          method: 'PUT',
          body: new Uint8Array(manifest.body),
          headers: { 'content-type': manifest.headers.get('content-type') ?? '' },
          scope: 'repository:shop/api:pull,push',
        })
      assert.equal((await put('v1', one)).status, 201)
      assert.equal((await put('v1', one)).status, 201, 'the same again is fine')
      const refused = await put('v1', two)
      assert.equal(refused.status, 403)
      const [error] = (JSON.parse(refused.body.toString()) as { errors: { code: string; message: string; detail: object }[] }).errors
      assert.equal(error?.code, 'DENIED')
      assert.match(error?.message ?? '', new RegExp(`shop/api:v1 stays at ${digests[0]}: immutableTags v\\* of shop/\\*\\*`))
      const gone = async (reference: string) =>
        (await developer.ask(`/v2/shop/api/manifests/${reference}`, { method: 'DELETE', scope: 'repository:shop/api:delete' })).status
      assert.deepEqual([await gone('v1'), await gone(digests[0] ?? '')], [403, 403])
      assert.equal((await server.protocol(puller).manifest('shop/api', 'v1')).headers.get('docker-content-digest'), digests[0])
      assert.equal((await server.lazaret(['repositories', 'set', 'shop/**', '--unset', 'immutableTags'])).code, 0)
      assert.equal((await put('v1', two)).status, 201, 'once an administrator has lifted the rule')
      assert.equal(await gone('v1'), 202)
    })

    test('settings: by pattern, inherited, declared ones only in lazaret.yaml', async () => {
      const shown = await server.lazaret(['repositories', 'show', 'lib/base', '--format', 'json'])
      assert.deepEqual(JSON.parse(shown.stdout), {
        repository: 'lib/base',
        settings: { owner: 'platform', visibility: 'public' },
        from: { owner: 'lib/**', visibility: 'lib/**' },
      })
      const rules = await ask('GET', '/repository-settings')
      assert.deepEqual(
        rules.json.items.map((item: { rule: { match: string }; declared: boolean }) => [item.rule.match, item.declared]),
        [
          ['lib/**', true],
          ['shop/**', false],
        ],
      )
      for (const reply of [
        await ask('PUT', '/repository-settings', { body: { match: 'lib/**', owner: 'me' } }),
        await ask('DELETE', '/repository-settings?match=lib/**'),
      ])
        assert.deepEqual([reply.status, reply.json.code], [409, 'CONFLICT'])
      assert.equal((await ask('DELETE', '/repository-settings?match=none')).status, 404)
      for (const body of [
        {},
        { match: 'A' },
        { match: 'shop/***' },
        { match: 'a', owner: '' },
        { match: 'a', owner: 'x\u0000y' },
        { match: 'a', visibility: 'open' },
        { match: 'a', immutableTags: ['a b'] },
        { match: 'a', labels: { 'a b': 'c' } },
        { match: 'a', admin: true },
      ]) {
        const { status, json } = await ask('PUT', '/repository-settings', { body })
        assert.deepEqual([status, json.code], [400, 'INPUT_INVALID'], JSON.stringify(body))
      }
      assert.match((await server.lazaret(['repositories', 'list'])).stdout, /shop\/api +owner shop\n +labels tier=1/)
    })

    test('visibility public opens to anyone, and private closes again, at once', async () => {
      await server.addUser('librarian', 'pull=lib/**', 'push=lib/**')
      const image = await fixedImage(critical, 'base')
      assert.equal((await server.protocol(server.admin).push('lib/base', image, '1')).status, 201)
      assert.equal((await server.protocol(server.admin).push('docs/site', image, '1')).status, 201)
      const status = async (repository: string, who?: typeof puller) => (await server.protocol(who).manifest(repository, '1')).status
      const stranger = await server.addUser('nobody-special')
      assert.deepEqual([await status('lib/base'), await status('lib/base', stranger)], [200, 200])
      assert.equal(await status('docs/site', stranger), 403)
      assert.equal((await ask('PUT', '/repository-settings', { body: { match: 'docs/*', visibility: 'public' } })).status, 204)
      assert.deepEqual([await status('docs/site'), await status('docs/site', stranger)], [200, 200])
      assert.equal((await ask('PUT', '/repository-settings', { body: { match: 'docs/site', visibility: 'private' } })).status, 204)
      assert.equal(await status('docs/site', stranger), 403)
      const listed = (await ask('GET', '/repositories', { as: null })).json.items as { repository: string }[]
      assert.deepEqual(
        listed.map(({ repository }) => repository),
        ['lib/base'],
      )
    })

    test('who pulled what, and what is in use', async () => {
      const { json } = await ask('GET', '/pulls?image=shop/api:latest', { as: server.developer })
      assert.equal(json.digest, digests[1])
      const byRobot = (json.items as { principal: string; tag?: string; address: string; count: number }[]).filter(
        (item) => item.principal === 'robot:puller',
      )
      assert.ok(
        byRobot.some((item) => item.tag === 'latest' && item.address === '127.0.0.1' && item.count >= 1),
        JSON.stringify(json),
      )
      const images = (await ask('GET', '/images?repository=shop/api')).json.items as {
        digest: string
        inUse: boolean
        lastPulledAt?: string
      }[]
      const one = images.find((image) => image.digest === digests[1])
      assert.ok(one?.inUse === true && one.lastPulledAt !== undefined, JSON.stringify(one))
      await pushAndJudge(server, 'shop/idle', '1', await fixedImage(critical, 'idle'), 'allow')
      const [idle] = (await ask('GET', '/images?repository=shop/idle')).json.items as { inUse: boolean; lastPulledAt?: string }[]
      assert.deepEqual([idle?.inUse, idle?.lastPulledAt], [false, undefined], 'to be examined is not to be used')
      for (const query of ['', 'image=', 'image=shop/api:latest&after=x', 'image=shop/api:latest&limit=0', 'image=shop/api:latest&since=1'])
        assert.equal((await ask('GET', `/pulls?${query}`)).status, 400, query)
    })

    test('the audit log verifies, tells of all that, and is written out', async () => {
      const verified = await server.lazaret(['audit', 'verify', '--format', 'json'])
      const found = JSON.parse(verified.stdout) as { rows: number; head: { id: number; hash: string } }
      assert.deepEqual([verified.code, found.rows], [0, found.head.id])
      assert.equal((await server.lazaret(['audit', 'verify', '--head', `${found.head.id}:${found.head.hash}`])).code, 0)
      const otherwise = await server.lazaret(['audit', 'verify', '--head', `2:${'0'.repeat(64)}`])
      assert.equal(otherwise.code, 1)
      assert.match(otherwise.stdout, /^broken at row 2 \(changed\): row 2 is not the one that you kept/)
      const rows = (await server.lazaret(['audit', 'export'])).stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { id: number; action: string; address: string; previous: string; hash: string })
      assert.ok(rows.length >= found.rows)
      rows.forEach((row, at) => at > 0 && assert.equal(row.previous, rows[at - 1]?.hash))
      for (const action of ['tag.push', 'tag.restore', 'tag.delete', 'repository-settings.set', 'user.add', 'robot.add'])
        assert.ok(
          rows.some((row) => row.action === action),
          action,
        )
      const csv = (await server.lazaret(['audit', 'export', '--format', 'csv', '--action', 'tag.delete'])).stdout.split('\r\n')
      assert.match(csv[0] ?? '', /^id,at,principal,address,action,subject,result,detail,previous,hash$/)
      assert.match(csv[1] ?? '', /,user:developer,127\.0\.0\.1,tag\.delete,shop\/api:v1,done,"\{""digest"":/)
      const ofRepository = (await ask('GET', '/audit-log?repository=shop/api&limit=1000')).json.items as { subject: string }[]
      assert.ok(ofRepository.length > 3 && ofRepository.every(({ subject }) => /^shop\/api[:@]/.test(subject)))
      const oldest = (await ask('GET', '/audit-log?order=oldest&limit=2')).json.items as { id: number }[]
      assert.deepEqual(
        oldest.map(({ id }) => id),
        [1, 2],
      )
    })

    test('after a stop: pulls and refused sign-ins are on record, and a row changed by hand is named', async () => {
      for (let at = 0; at < 3; at++)
        assert.equal((await ask('GET', '/self', { as: { username: 'ada', password: `guess-${at}` } })).status, 401)
      assert.equal((await server.protocol(puller).manifest('shop/idle', '1')).status, 200)
      await server.daemon.stop()
      server = await startLazaret(stack, { policy: 'observe', env, after: server })
      const refused = (await ask('GET', '/audit-log?result=refused')).json.items as {
        subject: string
        detail: { count: number }
        address: string
      }[]
      assert.deepEqual(
        refused.map((row) => [row.subject, row.detail.count, row.address]),
        [['user:ada', 3, '127.0.0.1']],
      )
      const pulls = (await ask('GET', '/pulls?image=shop/idle:1')).json.items as { principal: string }[]
      assert.deepEqual(
        pulls.map((row) => row.principal),
        ['robot:puller'],
      )
      if (env['LAZARET_DATABASE'] !== undefined) return
      const database = new DatabaseSync(join(server.folder, 'data', 'records.sqlite'))
      database.exec(`update audit_log set subject = 'shop/other:v1' where action = 'tag.delete'`)
      const { id } = database.prepare(`select id from audit_log where action = 'tag.delete'`).get() as { id: number }
      database.close()
      const verified = await server.lazaret(['audit', 'verify'])
      assert.deepEqual([verified.code, verified.stdout.split('\n')[0]], [1, `broken at row ${id} (changed): row ${id} was changed`])
    })
  })
}
