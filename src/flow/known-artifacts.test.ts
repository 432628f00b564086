import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { OpenAdvisories } from '../advisories/database.ts'
import { layerOf } from '../inventory/testing/tars.ts'
import { zipOf } from '../inventory/testing/zips.ts'
import { judge } from '../judge/judge.ts'
import { policies } from '../judge/policy.ts'
import { advisory, affects, readerOf } from '../match/reader.testing.ts'
import type { Digest } from '../model/digest.ts'
import { assembleEvidence } from './assemble.ts'

const now = new Date('2026-11-24T00:00:00Z')
const digest = `sha256:${'a'.repeat(64)}` as Digest
const quiet = zipOf([['org/a/A.class', 'x']])
const flaw = advisory('GHSA-1', [affects('Maven', 'g:a', 'introduced 0, fixed 2.0')], { severity: [{ type: 'label', value: 'critical' }] })

/** What an image with a jar that says nothing of itself comes to. */
async function examined(known: { name: string; version: string }[], covers: string[] = ['Maven'], jar = quiet) {
  const sha1 = createHash('sha1').update(jar).digest('hex')
  const advisories = {
    ...readerOf({ advisories: [flaw] }),
    covers: (ecosystem: string) => covers.includes(ecosystem),
    coverage: () => undefined,
    changedSince: () => 'all',
    changesSince: () => 'all',
    artifactsBy: (asked: string) => (asked === sha1 ? known : []),
    status: () => assert.fail(),
    close: () => undefined,
  } as OpenAdvisories
  const facts = await layerOf([['app/fat.jar', zipOf([['lib/quiet.jar', jar]])]])
  const { evidence } = assembleEvidence({ digest, kind: 'image', layers: [{ state: 'layer', facts }], advisories, now })
  return { evidence, layer: facts.diffId, verdict: judge(evidence, 1, policies.balanced, now) }
}

test('a jar that nobody knows is named, with where it lies, and is no package', async () => {
  const { evidence, verdict } = await examined([])
  assert.deepEqual(evidence.packages, [])
  assert.deepEqual(
    evidence.doubts.filter(({ doubt }) => doubt === 'unsupported-component'),
    [{ doubt: 'unsupported-component', detail: 'quiet.jar by its name (/app/fat.jar!/lib/quiet.jar), whose package is not known' }],
  )
  assert.equal(verdict.decision, 'allow')
})

test('a jar that the data set knows by its hash is that package, and is judged', async () => {
  const { evidence, layer, verdict } = await examined([{ name: 'g:a', version: '1.0' }])
  assert.deepEqual(evidence.packages, [
    { kind: 'maven', name: 'g:a', version: '1.0', purl: 'pkg:maven/g/a@1.0', location: 'app/fat.jar!/lib/quiet.jar', layer },
  ])
  assert.deepEqual(
    evidence.findings.map(({ id, fixedVersion }) => [id, fixedVersion]),
    [['GHSA-1', '2.0']],
  )
  assert.deepEqual(evidence.doubts, [])
  assert.equal(verdict.decision, 'deny')
})

test('a renamed jar that a word in it and its hash tell is one package', async () => {
  const pom = 'groupId=g\nartifactId=b\nversion=1.0\n'
  const renamed = zipOf([
    ['org/a/A.class', 'x'],
    ['META-INF/maven/g/b/pom.properties', pom],
  ])
  const { evidence } = await examined([{ name: 'g:b', version: '1.0' }], ['Maven'], renamed)
  assert.deepEqual([evidence.packages.map(({ name }) => name), evidence.doubts], [['g:b'], []])
})

test('a fixed version is none of a finding', async () => {
  const { evidence } = await examined([{ name: 'g:a', version: '2.0.0' }])
  assert.deepEqual(evidence.findings, [])
})

test('without a list of advisories for Maven its packages are told of, and do not make the image one that cannot be judged', async () => {
  const { evidence } = await examined([{ name: 'g:b', version: '1.0' }], [])
  assert.deepEqual(
    evidence.doubts.map(({ doubt }) => doubt),
    ['unsupported-component'],
  )
  assert.match(evidence.doubts[0]?.detail ?? '', /packages of Maven \(\/app\/fat\.jar!\/lib\/quiet\.jar/)
})
