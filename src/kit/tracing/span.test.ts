import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { LazaretError } from '../errors.ts'
import { newSpanId, newTraceId } from './context.ts'
import {
  annotate,
  enableSpans,
  type EndedSpan,
  LiveSpan,
  outside,
  settled,
  spanContext,
  traced,
  traceHeaders,
  withTrace,
  within,
} from './span.ts'

function root(sampled = true, state?: string) {
  const ended: EndedSpan[] = []
  const context = { traceId: newTraceId(), spanId: newSpanId(), sampled, state }
  const span = new LiveSpan({ name: 'root', kind: 'server', context, offsetMs: Date.now() - performance.now() }, (one) => ended.push(one))
  return { span, ended, context }
}

test('until something traces, work is called and nothing else', async () => {
  const { span, ended } = root()
  assert.equal(await within(span, () => traced('inner', async (inner) => (inner === undefined ? 'alone' : 'within'))), 'alone')
  assert.deepEqual([traceHeaders(), spanContext(), ended.length], [{}, undefined, 0])
  enableSpans()
})

test('spans nest over what is awaited, each with its parent, and an error is noted and thrown on', async () => {
  const { span, ended, context } = root()
  const failing = within(span, () =>
    settled(span, () =>
      traced('outer', async () => {
        await sleep(1)
        annotate({ words: 'x'.repeat(5000), nothing: undefined })
        await traced('inner', async () => Promise.reject(new LazaretError('DENIED', 'held')), { a: 1 }, 'client')
      }),
    ),
  )
  await assert.rejects(failing, { code: 'DENIED' })
  const [inner, outer, whole] = ended
  assert.deepEqual(
    ended.map(({ name }) => name),
    ['inner', 'outer', 'root'],
  )
  assert.deepEqual([inner?.parentSpanId, outer?.parentSpanId, whole?.parentSpanId], [outer?.context.spanId, context.spanId, undefined])
  assert.deepEqual([inner?.kind, inner?.problem, inner?.attributes.get('error.type')], ['client', 'held', 'DENIED'])
  assert.equal(String(outer?.attributes.get('words')).length, 1024)
  assert.ok(outer !== undefined && !outer.attributes.has('nothing') && outer.endMs >= outer.startMs)
  assert.ok(Math.abs(outer.startMs - Date.now()) < 60_000)
})

test('a trace that is not sampled sends nothing, and is told to others all the same', async () => {
  const { span, ended, context } = root(false, 'vendor=1')
  await within(span, () =>
    settled(span, () =>
      traced('inner', async (inner) => {
        assert.equal(inner, undefined)
        assert.deepEqual(traceHeaders(), { traceparent: `00-${context.traceId}-${context.spanId}-00`, tracestate: 'vendor=1' })
      }),
    ),
  )
  assert.equal(ended.length, 0)
})

test('what a request leaves behind is not its own any more when it has ended', async () => {
  const { span, ended } = root()
  const late = within(span, async () => {
    await sleep(5)
    await traced('late', async (inner) => assert.equal(inner, undefined))
    return withTrace({ msg: 'late' })
  })
  span.end()
  span.end()
  assert.deepEqual(await late, { msg: 'late' })
  assert.deepEqual(
    ended.map(({ name }) => name),
    ['root'],
  )
})

test('log lines have the id of their trace; outside of one they are as they came', () => {
  const { span, context } = root()
  const fields = { a: 1 }
  assert.equal(withTrace(fields), fields)
  assert.deepEqual(
    within(span, () => withTrace(fields)),
    { a: 1, traceId: context.traceId },
  )
  assert.deepEqual(
    within(span, () => outside(() => withTrace(fields))),
    fields,
  )
})

test('attributes have a bound', () => {
  const { span, ended } = root()
  for (let at = 0; at < 100; at++) span.set({ [`name-${at}`]: at })
  span.set({ 'name-0': 'again' })
  span.end()
  assert.equal(ended[0]?.attributes.size, 32)
  assert.equal(ended[0].attributes.get('name-0'), 'again')
})
