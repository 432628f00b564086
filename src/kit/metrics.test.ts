import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readOpenMetrics } from '../../test/metrics/grammar.ts'
import { createMetrics } from './metrics.ts'

test('counters, gauges, histograms and info are written as OpenMetrics has them', () => {
  const metrics = createMetrics()
  const requests = metrics.counter({ name: 'requests', help: 'Requests.', labels: ['method', 'status'] })
  requests.of('GET', '200').add()
  requests.of('GET', '200').add(2)
  requests.of('GET', '200').add(-5)
  requests.of('PUT', '201').add()
  metrics.gauge({ name: 'room_bytes', unit: 'bytes', help: 'Room.' }).set(1.5)
  const took = metrics.histogram({ name: 'took_seconds', unit: 'seconds', help: 'Time.', labels: ['route'], bounds: [0.1, 1] })
  for (const seconds of [0.05, 0.1, 0.5, 9]) took.of('blobs').observe(seconds)
  metrics.info({ name: 'build', help: 'Build.' }, { version: '0.1.0' })
  assert.equal(
    metrics.text(),
    `# TYPE requests counter
# HELP requests Requests.
requests_total{method="GET",status="200"} 3
requests_total{method="PUT",status="201"} 1
# TYPE room_bytes gauge
# UNIT room_bytes bytes
# HELP room_bytes Room.
room_bytes 1.5
# TYPE took_seconds histogram
# UNIT took_seconds seconds
# HELP took_seconds Time.
took_seconds_bucket{route="blobs",le="0.1"} 2
took_seconds_bucket{route="blobs",le="1.0"} 3
took_seconds_bucket{route="blobs",le="+Inf"} 4
took_seconds_count{route="blobs"} 4
took_seconds_sum{route="blobs"} 9.65
# TYPE build info
# HELP build Build.
build_info{version="0.1.0"} 1
# EOF
`,
  )
})

test('whatever stands in a label or in help comes back as it was', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 20 }), fc.string({ unit: 'binary' }), (values, help) => {
      const metrics = createMetrics()
      const counter = metrics.counter({ name: 'a', help, labels: ['x'] })
      for (const value of values) counter.of(value).add()
      const family = readOpenMetrics(metrics.text()).get('a')
      assert.equal(family?.help, help.toWellFormed())
      assert.deepEqual(new Set(family?.samples.map(({ labels }) => labels['x'])), new Set(values.map((value) => value.toWellFormed())))
    }),
    { numRuns: 50 },
  )
})

test('any observations make a histogram whose buckets grow, and end with its count', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, noNaN: true })), (values) => {
      const metrics = createMetrics()
      const histogram = metrics.histogram({ name: 'a', help: 'A.', bounds: [0.001, 0.5, 3, 1e9] }).of()
      for (const value of values) histogram.observe(value)
      const samples = readOpenMetrics(metrics.text()).get('a')?.samples ?? []
      const bucket = (le: string) => samples.find(({ labels }) => labels['le'] === le)?.value
      assert.equal(bucket('0.5'), values.filter((value) => value <= 0.5).length)
      assert.equal(bucket('+Inf'), values.length)
    }),
  )
})

test('series are bounded: what is too much shares one', () => {
  const metrics = createMetrics()
  const counter = metrics.counter({ name: 'a', help: 'A.', labels: ['x', 'y'] })
  for (let at = 0; at < 5000; at++) counter.of('x', String(at)).add()
  const samples = readOpenMetrics(metrics.text()).get('a')?.samples ?? []
  assert.equal(samples.length, 1001)
  assert.deepEqual(samples.at(-1), { name: 'a_total', labels: { x: 'other', y: 'other' }, value: 4000 })
})

test('a gauge that is replaced keeps no series of before', () => {
  const metrics = createMetrics()
  const gauge = metrics.gauge({ name: 'a', help: 'A.', labels: ['x'] })
  gauge.replace([
    [1, 'one'],
    [2, 'two'],
  ])
  gauge.replace([[Number.NaN, 'three']])
  assert.match(metrics.text(), /^a\{x="three"\} NaN$/m)
  assert.equal(readOpenMetrics(metrics.text()).get('a')?.samples.length, 1)
})

test('what OpenMetrics has not is refused where it is defined', () => {
  const metrics = createMetrics()
  metrics.gauge({ name: 'taken', help: '' })
  assert.throws(() => metrics.counter({ name: 'taken', help: '' }), /twice/)
  for (const name of ['', '1a', 'a-b', 'a_total', 'a_bucket', 'ä'])
    assert.throws(() => metrics.counter({ name, help: '' }), TypeError, name)
  assert.throws(() => metrics.gauge({ name: 'a', help: '', unit: 'bytes' }), /unit/)
  assert.throws(() => metrics.gauge({ name: 'a', help: '', labels: ['le'] }), /label/)
  assert.throws(() => metrics.histogram({ name: 'a', help: '', bounds: [1, 1] }), /rise/)
  assert.throws(() => metrics.counter({ name: 'b', help: '', labels: ['x'] }).of(), /labels/)
})
