import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLog } from '../log.ts'
import { newSpanId, newTraceId } from './context.ts'
import { createOutgoing } from '../outgoing/outgoing.ts'
import { createExporter, type Exporter } from './exporter.ts'
import { exportRequest } from './otlp.ts'
import type { EndedSpan } from './span.ts'

const origin = { resource: new Map([['service.name', 'lazaret']]), name: 'lazaret', version: '1' }

function spanNamed(name: string): EndedSpan {
  return {
    context: { traceId: newTraceId(), spanId: newSpanId(), sampled: true, state: undefined },
    parentSpanId: undefined,
    name,
    kind: 'internal',
    startMs: 1_700_000_000_000.25,
    endMs: 1_700_000_000_001.5,
    attributes: new Map<string, string | number | boolean>([
      ['text', '\ud800'],
      ['whole', 7],
      ['half', 0.5],
      ['yes', true],
    ]),
    links: [],
    problem: undefined,
  }
}

type Answering = (request: IncomingMessage, response: ServerResponse, count: number) => void

async function scene(
  answering: Answering,
  work: (exporter: Exporter, seen: { bodies: string[]; log: string[] }) => Promise<void>,
): Promise<void> {
  const bodies: string[] = []
  const log: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => (body += text))
    request.on('end', () => answering(request, response, bodies.push(body)))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
  const headers = new Map([['authorization', 'Bearer of-the-test']])
  const outgoing = createOutgoing({ network: { allowPrivate: [] } }, {})
  const exporter = createExporter({
    url,
    headers,
    origin,
    log: createLog({ level: 'trace', write: (line) => void log.push(line) }),
    outgoing,
  })
  try {
    await work(exporter, { bodies, log })
  } finally {
    await exporter.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
}

const ok: Answering = (_request, response) => response.setHeader('content-type', 'application/json').end('{}')

test('one export as OTLP has it in JSON', () => {
  const span = { ...spanNamed('one'), parentSpanId: '00f067aa0ba902b7', problem: 'it failed', links: [spanNamed('other').context] }
  const [resource] = (
    JSON.parse(exportRequest(origin, [span])) as { resourceSpans: { resource: unknown; scopeSpans: { spans: unknown[] }[] }[] }
  ).resourceSpans
  assert.deepEqual(resource?.resource, { attributes: [{ key: 'service.name', value: { stringValue: 'lazaret' } }] })
  assert.deepEqual(resource?.scopeSpans[0]?.spans[0], {
    traceId: span.context.traceId,
    spanId: span.context.spanId,
    flags: 1,
    parentSpanId: '00f067aa0ba902b7',
    name: 'one',
    kind: 1,
    startTimeUnixNano: '1700000000000250000',
    endTimeUnixNano: '1700000000001500000',
    attributes: [
      { key: 'text', value: { stringValue: '\ufffd' } },
      { key: 'whole', value: { intValue: '7' } },
      { key: 'half', value: { doubleValue: 0.5 } },
      { key: 'yes', value: { boolValue: true } },
    ],
    links: [{ traceId: span.links[0]?.traceId, spanId: span.links[0]?.spanId, flags: 1 }],
    status: { code: 2, message: 'it failed' },
  })
})

test('what was taken goes out with the headers, at the latest when it closes; later ones are counted as lost', async () => {
  let authorization: string | undefined
  const answering: Answering = (request, response, count) => {
    authorization = request.headers.authorization
    ok(request, response, count)
  }
  await scene(answering, async (exporter, { bodies }) => {
    for (let at = 0; at < 1200; at++) exporter.take(spanNamed(`s${at}`))
    await exporter.close()
    exporter.take(spanNamed('late'))
    assert.deepEqual(exporter.figures(), { exported: 1200, dropped: { queue: 1, failed: 0, refused: 0 } })
    assert.equal(authorization, 'Bearer of-the-test')
    assert.equal(bodies.length, 3, 'batches of 512')
  })
})

test('the queue has a bound, and who fills it waits for nothing', async () => {
  await scene(ok, async (exporter, { log }) => {
    for (let at = 0; at < 10_000; at++) exporter.take(spanNamed('s'))
    assert.equal(log.length, 1, 'a line a minute')
    const { dropped } = exporter.figures()
    assert.equal(dropped.queue, 10_000 - 4096)
  })
})

test('a collector that is busy is asked again, and nothing is lost', async () => {
  const answering: Answering = (request, response, count) => {
    if (count === 1) response.writeHead(503, { 'retry-after': '0' }).end()
    else ok(request, response, count)
  }
  await scene(answering, async (exporter, { bodies, log }) => {
    for (let at = 0; at < 512; at++) exporter.take(spanNamed('s'))
    for (const end = Date.now() + 20_000; bodies.length < 2 && Date.now() < end; ) await sleep(10)
    await exporter.close()
    assert.deepEqual(exporter.figures(), { exported: 512, dropped: { queue: 0, failed: 0, refused: 0 } })
    assert.equal(bodies[0], bodies[1])
    assert.deepEqual(log, [])
  })
})

test('what it does not want is dropped and counted, in whole or in part', async () => {
  for (const [answering, refused] of [
    [(_: IncomingMessage, response: ServerResponse) => void response.writeHead(400).end('x'.repeat(1000)), 3],
    [(_: IncomingMessage, response: ServerResponse) => void response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), 3],
    [
      (_: IncomingMessage, response: ServerResponse) =>
        void response.end('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no room"}}'),
      2,
    ],
    [(_: IncomingMessage, response: ServerResponse) => void response.end('{"partialSuccess":{"rejectedSpans":"99"}}'), 3],
    [(_: IncomingMessage, response: ServerResponse) => void response.end('x'.repeat(100_000)), 3],
    [(_: IncomingMessage, response: ServerResponse) => void response.end('not JSON'), 0],
    [(_: IncomingMessage, response: ServerResponse) => void response.end('null'), 0],
  ] as const)
    await scene(answering, async (exporter, { log }) => {
      for (let at = 0; at < 3; at++) exporter.take(spanNamed('s'))
      await exporter.close()
      assert.deepEqual(exporter.figures(), { exported: 3 - refused, dropped: { queue: 0, failed: 0, refused } })
      assert.equal(log.length, refused > 0 ? 1 : 0)
      assert.doesNotMatch(log.join(''), /of-the-test/)
    })
})

test('a collector that never answers, or is not there, holds up neither the end nor anybody else', async () => {
  await scene(
    () => undefined,
    async (exporter) => {
      for (let at = 0; at < 1000; at++) exporter.take(spanNamed('s'))
      const began = performance.now()
      await exporter.close()
      assert.ok(performance.now() - began < 8000)
      assert.deepEqual(exporter.figures(), { exported: 0, dropped: { queue: 0, failed: 1000, refused: 0 } })
    },
  )
  const log: string[] = []
  const gone = createExporter({
    url: 'http://127.0.0.1:9/',
    headers: new Map(),
    origin,
    log: createLog({ level: 'warn', write: (line) => void log.push(line) }),
    outgoing: createOutgoing({ network: { allowPrivate: [] } }, {}),
  })
  gone.take(spanNamed('s'))
  await gone.close()
  assert.equal(gone.figures().dropped.failed, 1)
  assert.match(log.join(''), /the collector does not answer/)
})
