import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { schemaCheck, storedSchema } from '../../inventory/testing/schemas.ts'
import { severities } from '../../model/advisory.ts'
import { findingOf, placeOf } from './findings.testing.ts'
import { sarifOf } from './sarif.ts'

const problemsOf = sarifCheck()

interface Log {
  runs: {
    tool: { driver: { rules: { id: string; properties: Record<string, unknown>; defaultConfiguration: { level: string } }[] } }
    results: {
      ruleId: string
      ruleIndex: number
      level: string
      baselineState?: string
      suppressions?: { justification: string }[]
      locations: { physicalLocation: { artifactLocation: { uri: string } }; message?: { text: string } }[]
      partialFingerprints: Record<string, string>
    }[]
  }[]
}

test('a log is valid by the published schema; a rule a flaw, a result a flaw and package', () => {
  const old = findingOf({
    id: 'CVE-2024-1',
    packageName: 'a',
    severity: 'high',
    places: [placeOf({ path: 'srv/a b/package.json', layer: 2, createdBy: 'COPY . /srv' })],
  })
  const findings = [
    { ...old, isNew: true },
    { ...findingOf({ id: 'CVE-2024-1', packageName: 'b', severity: 'critical', score: 9.8 }), isNew: false },
    { ...findingOf({ id: 'MAL-2024-1', packageName: 'c', severity: 'unknown', malicious: true }), isNew: true },
  ]
  const ignored = [
    {
      ...findingOf({ id: 'CVE-2020-1', severity: 'low' }),
      ignoredBy: { file: '.trivyignore', name: 'CVE-2020-1', reason: 'not reachable' },
    },
  ]
  const log = sarifOf({ target: 'shop/api:1', version: '1.2.3', findings, ignored }) as Log
  assert.deepEqual(problemsOf(log), [])
  const [run] = log.runs
  assert.deepEqual(
    run?.tool.driver.rules.map((rule) => [rule.id, rule.properties['security-severity'], rule.defaultConfiguration.level]),
    [
      ['CVE-2024-1', '9.8', 'error'],
      ['MAL-2024-1', '10.0', 'error'],
      ['CVE-2020-1', '2.0', 'note'],
    ],
  )
  assert.deepEqual(
    run.results.map((result) => [
      result.ruleId,
      result.ruleIndex,
      result.level,
      result.baselineState,
      result.suppressions?.[0]?.justification,
    ]),
    [
      ['CVE-2024-1', 0, 'error', 'new', undefined],
      ['CVE-2024-1', 0, 'error', 'unchanged', undefined],
      ['MAL-2024-1', 1, 'error', 'new', undefined],
      ['CVE-2020-1', 2, 'note', undefined, 'not reachable (.trivyignore)'],
    ],
  )
  assert.equal(run.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri, 'srv/a%20b/package.json')
  assert.equal(run.results[0]?.locations[0]?.message?.text, 'layer 2: COPY . /srv')
})

test('the same flaw of the same package is the same result in another build of the image, and in no other package', () => {
  const printOf = (target: string, packageName: string) => {
    const log = sarifOf({ target, version: '1', findings: [findingOf({ packageName })], ignored: [] }) as Log
    return log.runs[0]?.results[0]?.partialFingerprints['lazaret/v1']
  }
  assert.equal(printOf('shop/api:1', 'a'), printOf('shop/api:2', 'a'))
  assert.notEqual(printOf('shop/api:1', 'a'), printOf('shop/api:1', 'b'))
  assert.notEqual(printOf('shop/api:1', 'a'), printOf('shop/web:1', 'a'))
})

test('whether the base had a finding is a property of the result, and the base one of the run', () => {
  const base = { known: 'declared' as const, layers: 2, names: ['debian:12'], claim: { name: 'another' } }
  const findings = ([true, false, 'unknown'] as const).map((inBase, at) => ({ ...findingOf({ id: `CVE-2026-${at}` }), inBase }))
  const log = sarifOf({ target: 'x', version: '1.2.3', findings, ignored: [], base }) as Log
  assert.deepEqual(problemsOf(log), [])
  const [run] = log.runs as unknown as { properties: { base?: object }; results: { properties?: object }[] }[]
  assert.deepEqual(run?.properties.base, base)
  assert.deepEqual(
    run.results.map(({ properties }) => properties),
    [{ inBase: true }, { inBase: false }, undefined],
  )
  const silent = sarifOf({ target: 'x', version: '1.2.3', findings: [], ignored: [], base: { known: 'unknown' } }) as typeof log
  assert.ok(!JSON.stringify(silent).includes('base"'))
})

test('the schema check can fail', () => {
  const log = sarifOf({ target: 'x', version: '1', findings: [], ignored: [] }) as Record<string, unknown>
  assert.deepEqual(problemsOf(log), [])
  assert.notDeepEqual(problemsOf({ ...log, version: '1.0' }), [])
  assert.notDeepEqual(problemsOf({ ...log, runs: [{}] }), [])
})

test('of more results than are taken by those who read it, the gravest are there, and how many are not', () => {
  const findings = Array.from({ length: 25_010 }, (_, at) => findingOf({ id: `CVE-2024-${at}` }))
  const log = sarifOf({ target: 'x', version: '1', findings, ignored: [] }) as {
    runs: { results: unknown[]; properties: { dropped: number } }[]
  }
  assert.equal(log.runs[0]?.results.length, 25_000)
  assert.equal(log.runs[0].properties.dropped, 10)
})

test('whatever names and paths are, the log is valid', () => {
  const text = fc.string({ minLength: 1, unit: 'binary' })
  const found = fc.record({ id: text, packageName: text, packageVersion: text, severity: fc.constantFrom(...severities), path: text })
  fc.assert(
    fc.property(fc.array(found, { maxLength: 5 }), (some) => {
      const findings = some.map(({ path, ...rest }) => findingOf({ ...rest, places: [placeOf({ path })] }))
      assert.deepEqual(problemsOf(sarifOf({ target: 'x', version: '1', findings, ignored: [] })), [])
    }),
    { numRuns: 100 },
  )
})

/** The schema is of draft 4, and uses nothing that later drafts read otherwise but the name of its id. */
function sarifCheck(): (document: unknown) => unknown[] {
  const { $schema: _, id: __, ...schema } = storedSchema(new URL('fixtures/sarif-schema-2.1.0.json.zst', import.meta.url))
  return schemaCheck(schema)
}
