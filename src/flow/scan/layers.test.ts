import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '../../model/digest.ts'
import { describeConfig } from './config.ts'
import { describeLayers } from './layers.ts'
import { placeFindings } from './places.ts'
import { findingOf } from './findings.testing.ts'

const [a, b] = [digestOf('sha256', 'a'.repeat(64)), digestOf('sha256', 'b'.repeat(64))]
const configOf = (history: unknown, diffIds: unknown = [a, b]) => Buffer.from(JSON.stringify({ history, rootfs: { diff_ids: diffIds } }))

test('each layer has the instruction that made it, past those that made none', () => {
  const history = [
    { created_by: '/bin/sh -c #(nop) ADD file:1 in / ' },
    { created_by: '/bin/sh -c #(nop)  CMD ["sh"]', empty_layer: true },
    { created_by: 'RUN /bin/sh -c npm ci # buildkit' },
  ]
  assert.deepEqual(describeLayers(configOf(history), [{ diffId: a, sizeBytes: 3 }, {}]), [
    { number: 1, diffId: a, sizeBytes: 3, createdBy: 'ADD file:1 in /' },
    { number: 2, diffId: b, createdBy: 'RUN npm ci' },
  ])
})

test('a history that does not fit the layers says nothing of any', () => {
  for (const history of [[{ created_by: 'one' }], [{}, {}, {}], 'text', undefined, [null, null]])
    assert.deepEqual(
      describeLayers(configOf(history), [{}, {}]).map(({ createdBy }) => createdBy),
      [undefined, undefined],
    )
  assert.deepEqual(describeLayers(Buffer.from('no JSON'), [{ diffId: a }]), [{ number: 1, diffId: a }])
})

test('whatever a config says, layers are as many as there are, and its texts are bounded', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (history, config) => {
      const bytes = Buffer.from(JSON.stringify({ history, config, rootfs: { diff_ids: history } }))
      assert.deepEqual(
        describeLayers(bytes, [{}, {}]).map(({ number }) => number),
        [1, 2],
      )
      describeConfig(bytes)
    }),
  )
  const long = 'x'.repeat(100_000)
  assert.equal(describeLayers(configOf([{ created_by: long }, {}]), [{}, {}])[0]?.createdBy?.length, 2000)
  assert.equal(describeConfig(Buffer.from(JSON.stringify({ config: { User: long } }))).user?.length, 4096)
})

test('of the environment names are kept, and no values', () => {
  const config = describeConfig(
    Buffer.from(JSON.stringify({ config: { Env: ['TOKEN=secret', 'PATH=/bin'], Cmd: ['sh'], ExposedPorts: { '80/tcp': {} } } })),
  )
  assert.deepEqual(config, { environment: ['TOKEN', 'PATH'], command: ['sh'], ports: ['80/tcp'] })
})

test('a finding has every package that it is about, with its layer; of two layers with the same content the lower one', () => {
  const layers = describeLayers(configOf([{ created_by: 'COPY . /' }, { created_by: 'RUN x' }], [a, a]), [{}, {}])
  const pack = (location: string, layer: string) => ({
    kind: 'npm' as const,
    name: 'minimist',
    version: '1.2.5',
    purl: 'pkg:npm/minimist@1.2.5',
    location,
    layer,
  })
  const subject = { ecosystem: 'npm', name: 'minimist', version: '1.2.5' }
  const packages = [pack('x/package.json', a), pack('y/package.json', b), pack('z/package.json', a)]
  const [finding] = placeFindings([findingOf()], packages, [subject, subject, null], layers)
  assert.deepEqual(
    finding?.places.map(({ path, layer, createdBy }) => [path, layer, createdBy]),
    [
      ['x/package.json', 1, 'COPY . /'],
      ['y/package.json', undefined, undefined],
    ],
  )
})

test('the gravest first: malicious, then severity, then exploited, then what has a fix', () => {
  const made = [
    findingOf({ id: 'low', severity: 'low' }),
    findingOf({ id: 'high', severity: 'high' }),
    findingOf({ id: 'high-fixed', severity: 'high', fixedVersion: '2' }),
    findingOf({ id: 'high-exploited', severity: 'high', knownExploited: true }),
    findingOf({ id: 'critical' }),
    findingOf({ id: 'malicious', severity: 'unknown', malicious: true }),
  ]
  assert.deepEqual(
    placeFindings(made, [], [], []).map(({ id }) => id),
    ['malicious', 'critical', 'high-exploited', 'high-fixed', 'high', 'low'],
  )
})
