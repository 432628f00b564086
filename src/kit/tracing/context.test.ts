import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newSpanId, newTraceId, parseTraceparent, traceparentOf } from './context.ts'
import { createSampler } from './sampler.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const good = `00-${traceId}-${spanId}-01`

test('traceparent as the specification has it, and back', () => {
  const context = parseTraceparent(good, 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE')
  assert.deepEqual(context, { traceId, spanId, sampled: true, state: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE' })
  assert.equal(traceparentOf(context ?? assert.fail()), good)
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-00`, undefined)?.sampled, false)
  assert.equal(parseTraceparent(`00-${traceId}-${spanId}-ff`, undefined)?.sampled, true, 'other flags are left alone')
})

test('a later version is read by the parts that this one has', () => {
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01`, undefined)?.sampled, true)
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01-what-comes`, undefined)?.traceId, traceId)
  assert.equal(parseTraceparent(`cc-${traceId}-${spanId}-01.what-comes`, undefined), undefined)
})

test('what is not its form begins a new trace', () => {
  for (const wrong of [
    undefined,
    '',
    ['x'],
    good.toUpperCase(),
    `${good}-more`,
    `${good} `,
    `${good}, ${good}`,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `00-${traceId}-${spanId}-0x`,
    `00-${traceId}-${spanId}`,
    `cc-${traceId}-${spanId}-01-${'x'.repeat(10_000)}`,
  ])
    assert.equal(parseTraceparent(wrong, undefined), undefined, String(wrong))
})

test('tracestate that is too long, or no text, is left out whole', () => {
  assert.equal(parseTraceparent(good, 'a=1')?.state, 'a=1')
  for (const wrong of ['', `a=${'1'.repeat(511)}`, 'a=\u00e9', ['a=1']]) assert.equal(parseTraceparent(good, wrong)?.state, undefined)
})

test('ids are of their length, and never twice', () => {
  const ids = Array.from({ length: 5000 }, () => [newTraceId(), newSpanId()])
  for (const [trace = '', span = ''] of ids) {
    assert.match(trace, /^[0-9a-f]{32}$/)
    assert.match(span, /^[0-9a-f]{16}$/)
  }
  assert.equal(new Set(ids.flat()).size, 10_000)
})

test('samplers: by the parent where they say so, else by the ratio of the ids', () => {
  const ids = Array.from({ length: 4000 }, newTraceId)
  const part = (name: Parameters<typeof createSampler>[0], ratio: number, parent?: { sampled: boolean }) =>
    ids.filter((id) => createSampler(name, ratio)(id, parent)).length / ids.length
  assert.equal(part('always_on', 0, { sampled: false }), 1)
  assert.equal(part('always_off', 1, { sampled: true }), 0)
  assert.equal(part('parentbased_always_on', 0), 1)
  assert.equal(part('parentbased_always_on', 0, { sampled: false }), 0)
  assert.equal(part('parentbased_always_off', 1), 0)
  assert.equal(part('parentbased_traceidratio', 0, { sampled: true }), 1)
  assert.equal(part('parentbased_traceidratio', 1), 1)
  assert.equal(part('parentbased_traceidratio', 0), 0)
  const quarter = part('traceidratio', 0.25, { sampled: true })
  assert.ok(quarter > 0.2 && quarter < 0.3, String(quarter))
})
