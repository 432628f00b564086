import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { OpenAdvisories } from '../advisories/database.ts'
import { judge } from '../judge/judge.ts'
import { policies } from '../judge/policy.ts'
import { advisory, affects, readerOf } from '../match/reader.testing.ts'
import type { Digest } from '../model/digest.ts'
import type { LayerFacts, LayerFile } from '../model/layer.ts'
import type { ManifestKind } from '../model/manifest.ts'
import { assembleEvidence } from './assemble.ts'
import { mostPackages, type LayerOutcome } from './evidence.ts'

const digest = `sha256:${'a'.repeat(64)}` as Digest
const now = new Date('2027-01-15T00:00:00Z')
const advisories = {
  ...readerOf({}),
  coverage: () => undefined,
  changedSince: () => 'all',
  changesSince: () => 'all',
  artifactsBy: () => [],
  status: () => assert.fail(),
  close: () => undefined,
} as OpenAdvisories
const facts: LayerFacts = {
  diffId: digest,
  sizeBytes: 1,
  files: [],
  whiteouts: [],
  opaque: [],
  packages: [],
  releases: [],
  unsupported: [],
  problems: [],
}
const layer: LayerOutcome = { state: 'layer', facts }
const json: LayerOutcome = { state: 'json' }
const other: LayerOutcome = { state: 'unreadable', problem: 'not a readable tar' }
const unexamined: LayerOutcome = { state: 'unexamined', problem: 'the worker ended' }
const broken: LayerOutcome = { state: 'layer', facts: { ...facts, unsupported: [{ kind: 'rpm', path: 'var/lib/rpm/rpmdb.sqlite' }] } }

function assembled(kind: ManifestKind, layers: LayerOutcome[], config?: LayerOutcome) {
  const { evidence } = assembleEvidence({ digest, kind, layers, ...(config === undefined ? {} : { config }), advisories, now })
  const decision = judge(evidence, 1, policies.balanced, now).decision
  return { doubts: evidence.doubts.map((note) => `${note.doubt}: ${note.detail}`), allJson: evidence.allJson, decision }
}

describe('an image', () => {
  test('whose layers and config are what they should be', () => {
    assert.deepEqual(assembled('image', [layer, layer], json), {
      doubts: ['no-packages: no package was found in it'],
      allJson: undefined,
      decision: 'allow',
    })
  })

  test('with a layer that is none, whichever, is unreadable', () => {
    for (const [bad, problem] of [
      [other, 'not a readable tar'],
      [unexamined, 'the worker ended'],
      [json, 'it is JSON, not an archive'],
    ] as const) {
      for (const layers of [[bad], [layer, bad], [bad, layer]]) {
        const { doubts, decision } = assembled('image', layers, json)
        assert.equal(decision, 'deny')
        assert.ok(doubts.includes(`unreadable: layer ${layers.indexOf(bad) + 1} of ${layers.length}: ${problem}`), doubts.join())
      }
    }
  })

  test('with a config that is no JSON is unreadable: its bytes would be handed out unjudged', () => {
    for (const [bad, problem] of [
      [layer, 'it is an archive'],
      [broken, 'it is an archive'],
      [other, 'it is no JSON'],
      [unexamined, 'the worker ended'],
    ] as const) {
      const { doubts, decision } = assembled('image', [layer], bad)
      assert.deepEqual([doubts[0], decision], [`unreadable: its config: ${problem}`, 'deny'])
    }
  })

  test('of JSON alone says so, of none does not', () => {
    assert.equal(assembled('image', [json, json], json).allJson, true)
    for (const layers of [[], [layer, json], [json, other], [json, unexamined]])
      assert.equal(assembled('image', layers, json).allJson, undefined)
  })
})

test('more packages than are judged: those are listed, and it passes nobody', () => {
  const packages = Array.from({ length: mostPackages + 1 }, (_, at) => ({
    location: 'node_modules/x/package.json',
    package: { kind: 'npm' as const, name: `p${at}`, version: '1.0.0' },
  }))
  const files = [{ path: 'node_modules/x/package.json', type: 'file' as const, mode: 0o644, uid: 0, gid: 0, sizeBytes: 1, mtime: 0 }]
  const large: LayerOutcome = { state: 'layer', facts: { ...facts, files, packages } }
  for (const kind of ['image', 'artifact'] as const) {
    const { evidence } = assembleEvidence({ digest, kind, layers: [large], advisories, now })
    assert.equal(evidence.packages.length, mostPackages)
    assert.match(evidence.doubts[0]?.detail ?? '', /it holds 100001 packages, more than the 100000/)
    assert.equal(judge(evidence, 1, policies.balanced, now).decision, 'deny')
  }
})

describe('an artifact', () => {
  test('of files that are no archives is what it is', () => {
    for (const layers of [[], [json], [other], [layer, json, other]]) assert.equal(assembled('artifact', layers, json).decision, 'allow')
  })

  test('is judged by the archives among them, its config too', () => {
    for (const [layers, config] of [
      [[json, broken], json],
      [[other], broken],
    ] as [LayerOutcome[], LayerOutcome][]) {
      const { doubts, decision } = assembled('artifact', layers, config)
      assert.equal(decision, 'deny', doubts.join())
    }
  })

  test('with a part that nobody could look into passes nobody', () => {
    for (const [layers, config] of [
      [[json, unexamined], json],
      [[json], unexamined],
    ] as [LayerOutcome[], LayerOutcome][]) {
      assert.deepEqual(assembled('artifact', layers, config), {
        doubts: ['unreadable: the worker ended'],
        allJson: layers.length === 1 ? true : undefined,
        decision: 'deny',
      })
    }
  })
})

test('a flaw that the distribution clears is no finding, no doubt and no reason, and is kept by name', () => {
  const cleared = advisory('DEBIAN-CVE-2024-1', [{ ecosystem: 'Debian:12', name: 'a', ranges: [], versions: [], word: 'not-affected' }], {
    upstream: ['CVE-2024-1'],
  })
  const world = { ...advisories, ...readerOf({ advisories: [cleared] }), coverage: () => undefined } as OpenAdvisories
  const packages: LayerFacts['packages'] = [{ location: 'var/lib/dpkg/status', package: { kind: 'deb', name: 'a', version: '1-1' } }]
  const releases = [{ location: 'etc/os-release', release: { id: 'debian', idLike: [], versionId: '12' } }]
  const files = ['var/lib/dpkg/status', 'etc/os-release'].map(
    (path): LayerFile => ({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 1, mtime: 0, sha256: '0'.repeat(64) }),
  )
  const { evidence } = assembleEvidence({
    digest,
    kind: 'image',
    layers: [{ state: 'layer', facts: { ...facts, files, packages, releases } }],
    config: json,
    advisories: world,
    now,
  })
  assert.deepEqual([evidence.ecosystem, evidence.findings, evidence.doubts], ['Debian:12', [], []])
  assert.deepEqual(
    evidence.cleared?.map(({ id, word }) => [id, word]),
    [['CVE-2024-1', 'not-affected']],
  )
  assert.equal(judge(evidence, 1, policies.balanced, now).decision, 'allow')
})

test('packages of conda are judged by nobody here, and that is said', () => {
  const location = 'opt/conda/conda-meta/openssl-3.0.13-h0.json'
  const file = { path: location, type: 'file' as const, mode: 0o644, uid: 0, gid: 0, sizeBytes: 1, mtime: 0 }
  const found = { location, package: { kind: 'conda' as const, name: 'openssl', version: '3.0.13' } }
  const conda: LayerOutcome = { state: 'layer', facts: { ...facts, files: [file], packages: [found] } }
  const { doubts } = assembled('image', [conda], json)
  assert.deepEqual(doubts, [`unsupported-component: packages of conda (/${location} and others), of which no list of advisories is here`])
})

test('what is taken for a package of Hex by its name alone is said, and so is what no records speak of', () => {
  const at = (location: string) => ({ path: location, type: 'file' as const, mode: 0o644, uid: 0, gid: 0, sizeBytes: 1, mtime: 0 })
  const [app, rock] = ['app/lib/cowboy-2.9.0/ebin/cowboy.app', 'usr/lib/luarocks/rocks-5.4/lpeg/1.1.0-1/rock_manifest']
  const packages = [
    { location: app, package: { kind: 'hex' as const, name: 'cowboy', version: '2.9.0' } },
    { location: rock, package: { kind: 'luarocks' as const, name: 'lpeg', version: '1.1.0-1' } },
  ]
  const { doubts } = assembled('image', [{ state: 'layer', facts: { ...facts, files: [at(app), at(rock)], packages } }], json)
  for (const said of [
    `unsupported-component: applications (/${app} and others) that are taken for packages of Hex by their names alone`,
    `unsupported-component: packages of LuaRocks (/${rock} and others), of which no list of advisories is here`,
  ])
    assert.ok(doubts.includes(said), doubts.join('\n'))
})

test('a version that has no place in the order is a doubt, which the policy speaks of', () => {
  const record = advisory('GHSA-aaaa-bbbb-cccc', [affects('npm', 'a', 'introduced 0, fixed 2.0.0')])
  const world = { ...advisories, ...readerOf({ advisories: [record] }), coverage: () => undefined } as OpenAdvisories
  const location = 'app/node_modules/a/package.json'
  const packages: LayerFacts['packages'] = [{ location, package: { kind: 'npm', name: 'a', version: 'latest' } }]
  const files: LayerFile[] = [{ path: location, type: 'file', mode: 0o644, uid: 0, gid: 0, sizeBytes: 1, mtime: 0, sha256: '0'.repeat(64) }]
  const layers: LayerOutcome[] = [{ state: 'layer', facts: { ...facts, files, packages } }]
  const { evidence } = assembleEvidence({ digest, kind: 'image', layers, config: json, advisories: world, now })
  assert.deepEqual(
    evidence.findings.map(({ state, fixedVersion }) => [state, fixedVersion]),
    [['unknown-version', undefined]],
  )
  assert.deepEqual(evidence.doubts, [{ doubt: 'unknown-version', detail: 'a latest (GHSA-aaaa-bbbb-cccc)' }])
  const effects = { ...policies.balanced.effects, 'unknown-version': 'deny' as const }
  assert.equal(judge(evidence, 1, { ...policies.balanced, effects }, now).decision, 'deny')
})
