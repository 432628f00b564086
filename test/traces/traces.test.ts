// What the OpenTelemetry Collector sees of a house at work.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { cleanImage, heldImage } from '../protocol/support/images.ts'
import { openWorld, type World } from '../protocol/support/world.ts'
import { lacking } from '../support/tools.ts'
import { type Collector, type ReceivedSpan, startCollector } from './collector.ts'

const [server, consumer] = [2, 5]

describe('traces', { skip: lacking('otlp-receiver') }, () => {
  const stack = new AsyncDisposableStack()
  let collector: Collector
  let world: World
  before(async () => {
    collector = await startCollector(stack)
    world = await openWorld(stack, {
      env: {
        LAZARET_OFFLINE: 'false',
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
        OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20the-key-of-the-collector',
        OTEL_SERVICE_NAME: 'registry-of-this-test',
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=te%20st,service.name=not-this',
      },
    })
  })
  after(() => stack.disposeAsync())

  const children = (parent: ReceivedSpan) =>
    collector.spans().filter((span) => span.parentSpanId === parent.spanId && span.traceId === parent.traceId)
  const named = (spans: ReceivedSpan[], name: string) =>
    spans.find((span) => span.name === name) ?? assert.fail(`no ${name} among ${spans.map((span) => span.name).join(', ')}`)

  test('a push: sign-in, bytes, their sync, and the records, within the request, and the examination that it causes with a link to it', async () => {
    assert.equal(await world.push('team/app', await cleanImage('traces'), 'v1'), 'allow')
    const [put] = await collector.until((span) => span.name === 'PUT manifests' && span.attributes['http.response.status_code'] === 201)
    assert.ok(put)
    assert.equal(put.kind, server)
    assert.equal(put.attributes['url.path'], '/v2/team/app/manifests/v1')
    assert.equal(put.attributes['http.request.method'], 'PUT')
    assert.equal(put.attributes['client.address'], '127.0.0.1')
    assert.match(String(put.attributes['lazaret.request_id']), /^[0-9a-f]{24}$/)
    assert.equal(named(children(put), 'sign-in').attributes['lazaret.principal.kind'], 'user')
    const write = named(children(put), 'records write')
    for (const phase of ['wait', 'change', 'commit']) assert.ok(Number(write.attributes[`lazaret.records.${phase}_ms`]) >= 0, phase)
    const blob = collector
      .spans()
      .find((span) => /^(PUT|POST) uploads$/.test(span.name) && children(span).some(({ name }) => name === 'blob sync'))
    assert.ok(blob !== undefined)
    assert.ok(Number(named(children(blob), 'blob write').attributes['lazaret.blob.bytes']) > 0)

    const [job] = await collector.until((span) => span.name === 'job examine' && span.links.some((link) => link.traceId === put.traceId))
    assert.ok(job)
    assert.equal(job.kind, consumer)
    assert.notEqual(job.traceId, put.traceId)
    const layers = children(job).filter(({ name }) => name === 'inventory')
    assert.equal(layers.length, 3, 'two layers and the config')
    assert.equal(named(children(job), 'match').attributes['lazaret.layers'], 2)
    assert.ok(children(named(children(job), 'records write')).some(({ name }) => name === 'judge'))
    assert.equal(put.resource['service.name'], 'registry-of-this-test')
    assert.equal(put.resource['deployment.environment.name'], 'te st')
    for (const span of children(put)) assert.ok(span.startMs >= put.startMs && span.endMs <= put.endMs + 1, span.name)
  })

  test('a pull that the gate refuses: its verdict and its rule, our code, and no failure of the server', async () => {
    assert.equal(await world.push('team/held', await heldImage('traces'), 'v1'), 'deny')
    const puller = await world.addUser('puller', 'pull=team/**')
    assert.equal((await puller.get('/v2/team/held/manifests/v1')).status, 403)
    const [refused] = await collector.until((span) => span.kind === server && span.attributes['error.type'] === 'DENIED')
    assert.ok(refused)
    assert.equal(refused.name, 'GET manifests')
    assert.equal(refused.attributes['http.response.status_code'], 403)
    assert.equal(refused.status.code ?? 0, 0)
    const gate = named(children(refused), 'gate')
    assert.equal(gate.attributes['lazaret.verdict'], 'deny')
    assert.equal(gate.attributes['lazaret.rule'], 'critical-with-fix')
  })

  test('traceparent: its trace goes on, with its flag and its state, and log lines carry it', async () => {
    const traceId = 'a'.repeat(32)
    const ask = (flags: string, path: string) =>
      world.admin.get(path, { traceparent: `00-${traceId}-${'b'.repeat(16)}-${flags}`, tracestate: 'vendor=1' })
    assert.equal((await ask('00', '/v2/team/app/tags/list?n=1')).status, 200)
    assert.equal((await ask('01', '/v2/team/app/manifests/v1?token=hidden')).status, 200)
    const [span] = await collector.until((one) => one.traceId === traceId && one.name === 'GET manifests')
    assert.ok(span)
    assert.equal(span.parentSpanId, 'b'.repeat(16))
    assert.equal(span.traceState, 'vendor=1')
    assert.ok(!collector.spans().some((one) => one.traceId === traceId && one.name === 'GET tags'), 'not sampled')
    const lines = world.log.map((line) => JSON.parse(line) as { msg: string; traceId?: string })
    assert.equal(lines.filter((line) => line.msg === 'request' && line.traceId === traceId).length, 2)
  })

  test('a request with a body, behind the door to the API, and by the token flow, keeps its span', async () => {
    await world.admin.ask('/api/v1/users', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'by-api', password: 'a-long-password', grants: ['pull=**'] }),
    })
    const form = new URLSearchParams({
      grant_type: 'password',
      service: 'lazaret',
      username: 'puller',
      password: 'the-password-of-puller',
      client_id: 'x',
    })
    await world.anonymous.ask('/token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
    })
    const [api] = await collector.until((span) => span.name === 'POST api')
    const [token] = await collector.until((span) => span.name === 'POST token')
    assert.ok(api && token)
    named(children(api), 'records write')
    named(children(token), 'token')
  })

  test('no secret and no query goes out; probes make no spans', async () => {
    await fetch(`http://${world.host}/health/live`)
    await world.admin.get('/metrics')
    assert.equal((await world.admin.get('/v2/team/app/tags/list?n=7')).status, 200)
    await collector.until((span) => span.name === 'GET tags')
    assert.doesNotMatch(
      collector.text(),
      /the-admin-of-this-test|the-password-of|a-long-password|the-key-of|Bearer|Basic |hidden|n=7|GET health|GET metrics/,
    )
  })

  test('what went out and what was lost is in the metrics', async () => {
    const text = (await world.admin.get('/metrics')).body.toString('utf8')
    assert.ok(Number(/^lazaret_traces_exported_total (\d+)$/m.exec(text)?.[1]) > 0)
    for (const reason of ['queue', 'failed', 'refused'])
      assert.match(text, new RegExp(`^lazaret_traces_dropped_total\\{reason="${reason}"\\} 0$`, 'm'))
  })

  test('what is left goes out when the server stops', async () => {
    await world.admin.get('/v2/team/app/manifests/last-of-all')
    await world[Symbol.asyncDispose]()
    await collector.until((span) => span.attributes['url.path'] === '/v2/team/app/manifests/last-of-all') // which prints what it got
  })
})
