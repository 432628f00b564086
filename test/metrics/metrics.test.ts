// What a monitor, a log collector and a load balancer see of a house that is at work.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ruleIds } from '../../src/judge/policy.ts'
import { heldImage } from '../protocol/support/images.ts'
import { openWorld, type World } from '../protocol/support/world.ts'
import { freePort } from '../support/daemon.ts'
import { type FamilyRead, readOpenMetrics } from './grammar.ts'
import { expectOk } from '../protocol/support/shapes.ts'

const newId = /^[0-9a-f]{24}$/

type Families = Map<string, FamilyRead>

async function scraped(world: World): Promise<Families> {
  const answer = expectOk(await world.admin.get('/metrics'))
  return readOpenMetrics(answer.body.toString('utf8'))
}

/** The sum over series that have these labels. */
function value(families: Families, family: string, labels: Record<string, string> = {}): number {
  const found = families.get(family) ?? assert.fail(`no ${family}`)
  const some = found.samples.filter((sample) => Object.entries(labels).every(([name, text]) => sample.labels[name] === text))
  return some.reduce((sum, sample) => sum + sample.value, 0)
}

describe('metrics and the log of requests', () => {
  const stack = new AsyncDisposableStack()
  let world: World
  before(async () => {
    world = await openWorld(stack, { env: { LAZARET_LIMITS_UPLOADS_PER_MINUTE: '30' } })
  })
  after(() => stack.disposeAsync())

  test('requests are counted by what they were, and never by a name that a client chose', async () => {
    const names = Array.from({ length: 50 }, (_, at) => `team-${at}/app`)
    for (const name of names) assert.equal((await world.admin.get(`/v2/${name}/manifests/latest`)).status, 404)
    await world.admin.ask('/v2/a/b/c/d', { method: 'PROPFIND' })
    await fetch(`http://${world.host}/nowhere/${'x'.repeat(100)}`)
    const families = await scraped(world)
    assert.equal(value(families, 'lazaret_http_requests', { route: 'manifests', method: 'GET', status: '404' }), 50)
    assert.ok(value(families, 'lazaret_http_requests', { method: 'other' }) >= 1)
    assert.ok(value(families, 'lazaret_http_requests', { route: 'other', status: '404' }) >= 1)
    assert.equal(
      families
        .get('lazaret_http_request_duration_seconds')
        ?.samples.find(({ name, labels }) => name.endsWith('_count') && labels['route'] === 'manifests')?.value,
      50,
    )
    const text = expectOk(await world.admin.get('/metrics')).body.toString('utf8')
    assert.doesNotMatch(text, /team-|nowhere|admin/)
  })

  test('bytes are those that moved, whatever a body calls itself', async () => {
    const before = await scraped(world)
    const bytes = 3_000_000
    const begun = await world.admin.ask('/v2/team/bytes/blobs/uploads/', { method: 'POST' })
    const path = begun.headers.get('location') ?? ''
    const patched = await world.admin.ask(path, { method: 'PATCH', body: Buffer.alloc(bytes) })
    assert.equal(patched.status, 202)
    const moved =
      value(await scraped(world), 'lazaret_http_received_bytes', { route: 'uploads' }) -
      value(before, 'lazaret_http_received_bytes', { route: 'uploads' })
    assert.ok(moved >= bytes && moved < bytes + 10_000, String(moved))
  })

  test('what is not to be seen without the right is not: only an administrator scrapes the registry’s own address', async () => {
    const reader = await world.addUser('reader', 'pull=**', 'push=**')
    assert.equal((await world.anonymous.get('/metrics')).status, 401)
    assert.equal((await reader.get('/metrics')).status, 403)
    const answer = await world.admin.get('/metrics')
    assert.match(answer.headers.get('content-type') ?? '', /^application\/openmetrics-text; version=1\.0\.0/)
  })

  test('more uploads a minute than are allowed are refused with the time to wait, by name, and counted', async () => {
    const pusher = await world.addUser('pusher', 'push=**')
    const other = await world.addUser('other', 'push=**')
    const statuses: number[] = []
    for (let at = 0; at < 31; at++) statuses.push((await pusher.ask('/v2/team/rate/blobs/uploads/', { method: 'POST' })).status)
    assert.deepEqual(statuses, [...Array<number>(30).fill(202), 429])
    const refused = await pusher.ask('/v2/team/rate/blobs/uploads/', { method: 'POST' })
    assert.match(refused.headers.get('retry-after') ?? '', /^[12]$/)
    assert.match(refused.body.toString('utf8'), /"TOOMANYREQUESTS".*30 uploads a minute/)
    assert.equal((await other.ask('/v2/team/rate/blobs/uploads/', { method: 'POST' })).status, 202)
    assert.equal(value(await scraped(world), 'lazaret_limits_refused', { limit: 'uploads-per-minute' }), 2)
  })

  test('pulls that the gate denies are counted by rule', async () => {
    expectOk(await world.admin.push('team/held', await heldImage('team'), '1'), 201)
    assert.equal(await world.decision('team/held:1'), 'deny')
    const puller = await world.addUser('puller', 'pull=**')
    for (let at = 0; at < 3; at++) assert.equal((await puller.get('/v2/team/held/manifests/1')).status, 403)
    const denied = (await scraped(world)).get('lazaret_pulls_denied')?.samples ?? []
    const byRule = Object.fromEntries(denied.map((sample) => [sample.labels['rule'], sample.value]))
    assert.ok(Object.values(byRule).includes(3), JSON.stringify(byRule))
    for (const rule of Object.keys(byRule)) assert.ok((ruleIds as readonly string[]).includes(rule), rule)
  })

  test('sign-ins that the throttle refuses are counted', async () => {
    const guess = () =>
      fetch(`http://${world.host}/token?service=lazaret`, {
        headers: { authorization: `Basic ${Buffer.from('admin:wrong').toString('base64')}` },
      })
    for (let at = 0; at < 10; at++) assert.equal((await guess()).status, 401)
    assert.equal((await guess()).status, 429)
    assert.ok(value(await scraped(world), 'lazaret_limits_refused', { limit: 'sign-ins' }) >= 1)
  })

  test('the store, the queue, the worker, the disk, the advisories and the process have their figures', async () => {
    const families = await scraped(world)
    for (const name of [
      'lazaret_verdicts',
      'lazaret_store_blobs',
      'lazaret_store_bytes',
      'lazaret_uploads_open',
      'lazaret_jobs',
      'lazaret_jobs_oldest_seconds',
      'lazaret_worker_running',
      'lazaret_disk_free_bytes',
      'lazaret_advisories_age_seconds',
      'lazaret_collections',
      'lazaret_collection_freed_bytes',
      'process_cpu_seconds',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      assert.ok((families.get(name)?.samples.length ?? 0) > 0, name)
    assert.equal(value(families, 'lazaret_worker_running'), 1)
    assert.ok(value(families, 'lazaret_disk_free_bytes') > 0)
    assert.equal(families.get('lazaret_build')?.samples[0]?.labels['records'], 'sqlite')
  })

  test('a request has one id, in its answer and in the log: the one that it brought where that is one, else a new one', async () => {
    const [given, made, odd] = [
      await asked('/v2/', 'trace-1.a:b_c'),
      await asked('/health/live'),
      await asked('/api/v1/self', '"><script>'),
    ]
    assert.equal(given, 'trace-1.a:b_c')
    assert.match(made, newId)
    assert.match(odd, newId)
    for (const id of [given, made, odd]) assert.equal(linesOf(id).length, 1, id)
  })

  test('a line says what was asked, by whom, and how it ended: writes and refusals at info, reads that pass at debug, and no secret', async () => {
    const id = 'line-1'
    await world.admin.ask('/v2/team/lines/blobs/uploads/?digest=sha256:secret-in-a-query', {
      method: 'POST',
      headers: { 'x-request-id': id },
    })
    const [line] = linesOf(id)
    assert.deepEqual(
      { ...line, time: undefined, ms: undefined, received: undefined, sent: undefined },
      {
        level: 'info',
        time: undefined,
        requestId: id,
        method: 'POST',
        path: '/v2/team/lines/blobs/uploads/',
        status: 400,
        ms: undefined,
        received: undefined,
        sent: undefined,
        principal: 'user:admin',
        address: '127.0.0.1',
        code: 'DIGEST_INVALID',
        msg: 'request',
      },
    )
    assert.equal(typeof line?.['ms'], 'number')
    await world.admin.ask('/v2/', { headers: { 'x-request-id': 'line-2' } })
    assert.equal(linesOf('line-2')[0]?.['level'], 'debug')
    await fetch(`http://${world.host}/v2/`, {
      headers: { 'x-request-id': 'line-3', authorization: `Basic ${Buffer.from('nobody:hunter22').toString('base64')}` },
    })
    assert.equal(linesOf('line-3')[0]?.['level'], 'info')
    const log = world.log.join('')
    assert.doesNotMatch(log, /secret-in-a-query|hunter22|the-admin-of-this-test|Bearer eyJ/)
  })

  async function asked(path: string, id?: string): Promise<string> {
    const answer = await fetch(`http://${world.host}${path}`, id === undefined ? {} : { headers: { 'x-request-id': id } })
    await answer.arrayBuffer()
    return answer.headers.get('x-request-id') ?? assert.fail('no id')
  }

  function linesOf(id: string): Record<string, unknown>[] {
    return world.log
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter((line) => line['requestId'] === id && line['msg'] === 'request')
  }
})

describe('a listener of its own', () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test('has the metrics without sign-in, and the registry’s address has none', async () => {
    const port = await freePort()
    const world = await openWorld(stack, { idle: true, env: { LAZARET_METRICS_LISTEN: `127.0.0.1:${port}` } })
    const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
    assert.equal(answer.status, 200)
    assert.ok(readOpenMetrics(await answer.text()).has('lazaret_http_requests'))
    assert.equal((await world.admin.get('/metrics')).status, 404)
    for (const path of ['/', '/v2/', '/health/ready', '/metrics/x'])
      assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 404, path)
    assert.equal((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status, 404)
    await world[Symbol.asyncDispose]()
    await assert.rejects(fetch(`http://127.0.0.1:${port}/metrics`))
  })
})
