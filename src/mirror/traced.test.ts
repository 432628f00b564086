import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { parseTraceparent } from '../kit/tracing/context.ts'
import { enableSpans, type EndedSpan, LiveSpan, within } from '../kit/tracing/span.ts'
import { createOutgoing } from '../kit/outgoing/outgoing.ts'
import { registryClient } from './registry-client.ts'

test('a request to another registry is a span of its own, whose place goes along with it; outside of a trace nothing does', async () => {
  const seen: (string | string[] | undefined)[] = []
  const server = createServer((request, response) => {
    seen.push(request.headers['traceparent'])
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const outgoing = createOutgoing({ network: { allowPrivate: [] } }, {})
  const registry = `127.0.0.1:${port}`
  const client = registryClient({ registry, origin: `http://${registry}`, repository: 'team/app', tag: 'v1' }, undefined, outgoing)
  enableSpans()
  const ended: EndedSpan[] = []
  const context = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true, state: undefined }
  const root = new LiveSpan({ name: 'root', context, offsetMs: 0 }, (span) => ended.push(span))
  try {
    const ask = async () => (await client.get('/v2/team/app/manifests/v1?key=hidden')).body?.cancel()
    await within(root, ask)
    await ask()
  } finally {
    server.closeAllConnections()
    server.close()
  }
  const [span] = ended
  const sent = parseTraceparent(seen[0], undefined)
  assert.deepEqual([sent?.traceId, sent?.spanId, sent?.sampled], [context.traceId, span?.context.spanId, true])
  assert.deepEqual(
    [span?.kind, span?.parentSpanId, span?.attributes.get('url.path')],
    ['client', context.spanId, '/v2/team/app/manifests/v1'],
  )
  assert.equal(seen[1], undefined)
})
