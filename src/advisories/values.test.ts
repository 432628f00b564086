import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../kit/errors.ts'
import { layoutOf } from './sniff.ts'
import { Tally } from './tally.ts'
import { each } from './test-support.ts'
import { jsonValues, type Layout } from './values.ts'

async function valuesOf(chunks: readonly Buffer[], layout: Layout, mostBytes = 1000): Promise<{ values: unknown[]; dropped: string[] }> {
  const tally = new Tally()
  const values: unknown[] = []
  for await (const value of jsonValues(each(chunks), layout, { mostBytes, drop: tally.drop })) values.push(value)
  return { values, dropped: tally.list().map(({ reason, examples }) => `${reason}: ${examples.join(' ')}`) }
}

function cut(text: string, at: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const points = [...new Set([0, ...at.map((point) => point % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return points.slice(1).map((point, index) => bytes.subarray(points[index], point))
}

const value = fc.jsonValue({ maxDepth: 4 })
const points = fc.array(fc.nat(5000), { maxLength: 6 })

test('values are found wherever the bytes are cut, in each layout', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value, { maxLength: 6 }), points, fc.boolean(), async (list, at, pretty) => {
      const expected = JSON.parse(JSON.stringify(list)) as unknown[]
      const objects = expected.map((entry) => ({ entry }))
      const text = JSON.stringify(expected, undefined, pretty ? 2 : 0)
      assert.deepEqual((await valuesOf(cut(text, at), 'elements', 1e6)).values, expected)
      assert.deepEqual(
        (await valuesOf(cut(objects.map((entry) => JSON.stringify(entry, undefined, pretty ? 1 : 0)).join('\n'), at), 'values', 1e6))
          .values,
        objects,
      )
      assert.deepEqual((await valuesOf(cut(objects.map((entry) => JSON.stringify(entry)).join('\r\n'), at), 'lines', 1e6)).values, objects)
      const members = Object.fromEntries(expected.map((entry, index) => [`k${index}"\\`, entry]))
      assert.deepEqual(Object.assign({}, ...(await valuesOf(cut(JSON.stringify(members), at), 'elements', 1e6)).values), members)
    }),
    { numRuns: 150 },
  )
})

test('any bytes end in values, drops or an UNREADABLE, never otherwise', async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '\n', '1', 'a'), { maxLength: 60 })
      .map((parts) => Buffer.from(parts.join(''))),
  )
  await fc.assert(
    fc.asyncProperty(bytes, fc.constantFrom<Layout>('lines', 'values', 'elements'), async (input, layout) => {
      try {
        await valuesOf([Buffer.from(input)], layout, 50)
      } catch (error) {
        assert.ok(error instanceof LazaretError && error.code === 'UNREADABLE', String(error))
      }
    }),
    { numRuns: 500 },
  )
})

test('a bad line costs that line only, and is named', async () => {
  const { values, dropped } = await valuesOf([Buffer.from('{"a":1}\n{"b":\n\n  \n{"c":"\u0000"}\n{"d":1}x\n{"e":1}')], 'lines')
  assert.deepEqual(values, [{ a: 1 }, { e: 1 }])
  assert.deepEqual(dropped, ['not JSON: line 2 line 5 line 6'])
})

test('a value that is too large is skipped without being held', async () => {
  const large = `{"a":"${'x'.repeat(5000)}"}`
  for (const [text, layout] of [
    [`{"b":1}\n${large}\n{"c":1}`, 'lines'],
    [`{"b":1}${large}{"c":1}`, 'values'],
    [`[{"b":1},${large},{"c":1}]`, 'elements'],
  ] as const) {
    const { values, dropped } = await valuesOf([Buffer.from(text)], layout)
    assert.deepEqual(values, [{ b: 1 }, { c: 1 }], layout)
    assert.equal(dropped.length, 1)
    assert.match(dropped[0] ?? '', /^larger than 1000 bytes: (line|value) 2$/)
  }
})

test('deep nesting and bytes that are no UTF-8 are dropped', async () => {
  const deep = `${'['.repeat(400_000)}${']'.repeat(400_000)}`
  const result = await valuesOf(
    [Buffer.from(`{"a":${deep}}\n`), Buffer.from([0x22, 0xff, 0xfe, 0x22]), Buffer.from('\n{"b":1}\n')],
    'lines',
    2e6,
  )
  assert.deepEqual(result.values.at(-1), { b: 1 })
  assert.ok(result.dropped.includes('not UTF-8: line 2'), result.dropped.join())
})

test('what ends in the middle of a list is damaged, not short', async () => {
  await assert.rejects(
    valuesOf([Buffer.from('[{"a":1},{"b":2}')], 'elements'),
    (error: LazaretError) => error.code === 'UNREADABLE' && /ends inside/.test(error.message),
  )
  await assert.rejects(valuesOf([Buffer.from('{"a":1}}')], 'values'), { code: 'UNREADABLE' })
})

test('the layout is read from the name and the beginning', () => {
  assert.equal(layoutOf('x.jsonl.zst', '['), 'lines')
  assert.equal(layoutOf('x.json', ' [\n{"id":1}'), 'elements')
  assert.equal(layoutOf('x', '{"id":"A-1"}\n{"id":"A-2"}\n'), 'lines')
  assert.equal(layoutOf('x', '{broken\n{"id":"A-2"}\n'), 'lines')
  assert.equal(layoutOf('x.json', '{\n  "id": "A-1",\n  "a": [\n    {"b":1}\n  ]\n}\n'), 'values')
  assert.equal(layoutOf('x.json', '{"0ad": {"CVE-2024-1": {"releases"'), 'elements')
})
