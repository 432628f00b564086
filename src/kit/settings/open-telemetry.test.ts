import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { describeSettings } from './describe.ts'
import { loadSettings } from './load.ts'

const folder = mkdtempSync(join(tmpdir(), 'lazaret-otel-'))
after(() => rmSync(folder, { recursive: true }))

const load = (env: Record<string, string>) => loadSettings({ env, cwd: folder })

function withFile(text: string, env: Record<string, string> = {}) {
  writeFileSync(join(folder, 'given.yaml'), text)
  return load({ ...env, LAZARET_CONFIG: 'given.yaml' })
}

test('the variables of OpenTelemetry stand for settings of traces; ours win, and what can’t be used is left out with its reason', () => {
  const theirs = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
    OTEL_EXPORTER_OTLP_HEADERS: 'api-key=secret-4',
    OTEL_SERVICE_NAME: 'theirs',
    OTEL_RESOURCE_ATTRIBUTES: 'a=1,b=2',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.5',
  }
  assert.deepEqual(load(theirs).tracing, {
    endpoint: 'http://collector:4318/v1/traces',
    headers: 'api-key=secret-4',
    serviceName: 'theirs',
    resourceAttributes: 'a=1,b=2',
    sampler: 'traceidratio',
    sampleRatio: 0.5,
  })
  const ours = withFile('tracing: { serviceName: of-the-file }\n', { ...theirs, LAZARET_TRACING_ENDPOINT: 'https://mine.example' })
  assert.deepEqual([ours.tracing.endpoint, ours.tracing.serviceName], ['https://mine.example/v1/traces', 'theirs'])
  assert.equal(ours.sources.get('tracing.serviceName'), 'OTEL_SERVICE_NAME')
  assert.doesNotMatch(JSON.stringify(describeSettings(ours)), /secret-4/)
  assert.equal(load({ ...theirs, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other:1/in' }).tracing.endpoint, 'http://other:1/in')

  const off: Record<string, string>[] = [{ OTEL_SDK_DISABLED: 'TRUE' }, { OTEL_TRACES_EXPORTER: 'none' }]
  for (const more of off)
    assert.deepEqual([load({ ...theirs, ...more }).tracing.endpoint, load({ ...theirs, ...more }).notes], [undefined, []])
  const odd: [Record<string, string>, RegExp][] = [
    [{ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, /^OTEL_EXPORTER_OTLP_ENDPOINT is not used: .*grpc/],
    [{ OTEL_TRACES_EXPORTER: 'zipkin' }, /^OTEL_EXPORTER_OTLP_ENDPOINT is not used: .*OTEL_TRACES_EXPORTER/],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:secret-5@h' }, /^OTEL_EXPORTER_OTLP_ENDPOINT is not used/],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'secret-6' }, /^OTEL_EXPORTER_OTLP_HEADERS is not used: it must be name=value/],
    [{ OTEL_TRACES_SAMPLER: 'jaeger_remote' }, /^OTEL_TRACES_SAMPLER is not used: it must be one of always_on/],
    [{ OTEL_TRACES_SAMPLER_ARG: '1.5' }, /^OTEL_TRACES_SAMPLER_ARG is not used: it must be a number from 0 to 1/],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'no pairs' }, /^OTEL_RESOURCE_ATTRIBUTES is not used/],
  ]
  for (const [more, note] of odd) {
    const { notes } = load({ ...theirs, ...more })
    assert.equal(notes.length, 1, JSON.stringify(more))
    assert.match(notes[0] ?? '', note)
    assert.doesNotMatch(notes[0] ?? '', /secret-6/)
  }
})

test('what is ours of traces is refused where it can’t be used, and never with what it holds', () => {
  for (const endpoint of ['collector:4318', 'ftp://h', 'http://u:p@h', 'http://h?key=secret-7'])
    assert.throws(
      () => load({ LAZARET_TRACING_ENDPOINT: endpoint }),
      (error: Error) => /LAZARET_TRACING_ENDPOINT must be an http or https URL/.test(error.message) && !/u:p|secret/.test(error.message),
    )
  assert.throws(
    () => load({ LAZARET_TRACING_HEADERS: 'Bearer secret-8' }),
    (error: Error) =>
      /tracing\.headers \(LAZARET_TRACING_HEADERS\) must be name=value/.test(error.message) && !error.message.includes('secret-8'),
  )
  assert.throws(() => withFile('tracing:\n  sampleRatio: 2\n'), /:2: tracing\.sampleRatio must be a number from 0 to 1, not 2/)
})
