// Advisories that a running server fetches: when it is asked to, by itself, and what is seen of it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { changeOsv, fakeSource, type FakeSource, serveOsv } from '../../src/advisories/fetch/source.testing.ts'
import { pushAndJudge } from '../support/held.ts'
import { imageOf } from '../support/images.ts'
import { startLazaret } from '../support/lazaret.ts'
import { debianBase, npmApplication } from '../support/worlds.ts'
import { askerOf, basicOf } from './asking.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const disposed: (() => unknown)[] = []
stack.defer(() => disposed.forEach((end) => end()))
const source: FakeSource = await fakeSource({ after: (end: () => unknown) => disposed.push(end) } as never)

function flaw(id: string, name: string, modified: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const ranges = [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '2.0.0' }] }]
  const severity = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }]
  return { schema_version: '1.7.0', id, modified, affected: [{ package: { ecosystem: 'npm', name }, ranges }], severity, ...more }
}

const first = flaw('GHSA-2222-2222-2222', 'another-of-ours', '2026-11-20T00:00:00Z')
serveOsv(source, 'npm', [first])
const env = {
  LAZARET_OFFLINE: 'false',
  LAZARET_ADVISORIES_SOURCES: `osv=${source.base},kev=${source.base}/kev.json`,
  LAZARET_ADVISORIES_ECOSYSTEMS: 'npm',
  LAZARET_ADVISORIES_INTERVAL_SECONDS: '0',
}
const server = await startLazaret(stack, { policy: 'balanced', env })
const ask = askerOf(server.host, server.admin)
const beside = {
  env: { ...env, LAZARET_DATA: join(server.folder, 'data'), LAZARET_SERVER: '', LAZARET_USERNAME: '', LAZARET_PASSWORD: '' },
}

async function decisionBecomes(image: string, wanted: string): Promise<void> {
  for (let turns = 0; turns < 150; turns++) {
    if ((await ask('GET', `/verdict?image=${image}`)).json.decision === wanted) return
    await sleep(100)
  }
  assert.fail(`${image} is not ${wanted}`)
}

test('the command has the server fetch: one source fails and says so, the other is in force', async () => {
  const done = await server.lazaret(['advisories', 'update'])
  assert.equal(done.code, 1, done.output)
  assert.match(done.stdout, /osv npm +good, unproven/)
  assert.match(done.stdout, /kev +failed, unproven +never/)
  assert.match(done.stdout, /kev\.json answers 404/)
  const status = await server.lazaret(['advisories', 'status'])
  assert.equal(status.code, 0)
  assert.match(status.stdout, /FETCHED FROM[^]*osv npm +good, unproven/)
  const [entry] = (await ask('GET', '/audit-log?action=advisories.update')).json.items
  assert.deepEqual([entry.principal, entry.detail.changed, entry.detail.sources.length], ['user:admin', true, 2])
  const metrics = await fetch(`http://${server.host}/metrics`, {
    headers: { authorization: basicOf(server.admin) },
  })
  const text = await metrics.text()
  assert.match(text, /lazaret_advisories_fetched_age_seconds\{source="osv",part="npm"\} \d+/)
  assert.match(text, /lazaret_advisories_fetch_failures\{source="kev",part=""\} 1/)
})

test('an image that was allowed is refused by what is fetched, and allowed again once it is withdrawn', async () => {
  const image = await imageOf([
    debianBase([{ name: 'tzdata', version: '2024a-0+deb12u1' }]),
    npmApplication({ 'a-package-of-ours': '1.0.0' }),
  ])
  await pushAndJudge(server, 'shop/fetched', '1', image, 'allow')
  changeOsv(source, 'npm', [first, flaw('GHSA-3333-3333-3333', 'a-package-of-ours', '2026-11-21T00:00:00Z')])
  const report = await ask('POST', '/advisories/update?source=osv')
  assert.deepEqual([report.status, report.json.changed, report.json.sources[0].brought.counts.added], [200, true, 1], report.text)
  await decisionBecomes('shop/fetched:1', 'deny')
  const withdrawn = { modified: '2026-11-22T00:00:00Z', withdrawn: '2026-11-22T00:00:00Z' }
  changeOsv(source, 'npm', [first, flaw('GHSA-3333-3333-3333', 'a-package-of-ours', '2026-11-22T00:00:00Z', withdrawn)])
  const second = await server.lazaret(['advisories', 'update', 'osv', '--format', 'json'], beside)
  assert.equal(second.code, 0, second.output)
  await decisionBecomes('shop/fetched:1', 'allow')
})

test('who is no administrator has nothing fetched, and names that are none are refused', async () => {
  assert.equal((await ask('POST', '/advisories/update', { as: server.developer })).status, 403)
  assert.equal((await ask('POST', '/advisories/update?source=nobody')).status, 400)
  assert.equal((await server.lazaret(['advisories', 'update', 'nobody'], beside)).code, 2)
  const offline = { env: { ...beside.env, LAZARET_OFFLINE: 'true' } }
  source.asked.length = 0
  const refused = await server.lazaret(['advisories', 'update'], offline)
  assert.match(refused.stderr, /offline is set/)
  assert.deepEqual(source.asked, [])
})

test('one at a time', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  let arrived = () => {}
  const asked = new Promise<void>((resolve) => (arrived = resolve))
  source.odd = async () => {
    arrived()
    await held
    return false
  }
  const running = ask('POST', '/advisories/update?source=osv')
  await asked
  const second = await ask('POST', '/advisories/update?source=osv')
  assert.deepEqual([second.status, second.json.code], [409, 'CONFLICT'])
  assert.equal((await server.lazaret(['advisories', 'update', 'osv'], beside)).code, 1)
  release()
  source.odd = undefined
  assert.equal((await running).status, 200)
})

test('by itself, where an interval is set', async () => {
  await using own = new AsyncDisposableStack()
  await startLazaret(own, {
    policy: 'observe',
    env: { ...env, LAZARET_ADVISORIES_SOURCES: `osv=${source.base}`, LAZARET_ADVISORIES_INTERVAL_SECONDS: '20' },
  })
  source.asked.length = 0
  for (let turns = 0; turns < 400 && !source.asked.includes('/npm/all.zip'); turns++) await sleep(100)
  assert.ok(source.asked.includes('/npm/all.zip'))
})
