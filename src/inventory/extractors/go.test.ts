// What is expected was printed by `go version -m`: see go/fixtures/README.md.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { elfWith, fixtureOf, named, packagesIn, probed } from '../testing/probes.ts'
import { factsOf, toolchainVersion } from './go/modules.ts'
import { go } from './go.ts'
import { headOf } from '../probe.ts'

const fixture = (name: string) => fixtureOf(new URL(`go/fixtures/${name}.zst`, import.meta.url))

const modules = [
  'example.com/program (devel)',
  'example.com/local (devel)',
  'github.com/satori/go.uuid v1.2.1-0.20181028125025-b2ce2384e17b',
  'golang.org/x/mod v0.20.0',
  'golang.org/x/text v0.3.7',
  'rsc.io/quote v1.5.2',
  'rsc.io/sampler v1.3.0',
]
const oldModules = [
  'example.com/old (devel)',
  'golang.org/x/text v0.0.0-20170915032832-14c0d48ead0c',
  'rsc.io/quote v1.5.2',
  'rsc.io/sampler v1.3.0',
]

const programs: Record<string, string[]> = {
  'go1.26-linux-amd64': ['stdlib 1.26.8', ...modules],
  'go1.26-linux-amd64-stripped': ['stdlib 1.26.8', ...modules],
  'go1.26-linux-amd64-pie': ['stdlib 1.26.8', ...modules],
  'go1.26-linux-386': ['stdlib 1.26.8', ...modules],
  'go1.26-linux-s390x': ['stdlib 1.26.8', ...modules],
  'go1.26-darwin-arm64': ['stdlib 1.26.8', ...modules],
  'go1.26-windows-amd64': ['stdlib 1.26.8', ...modules],
  'go1.26-linux-amd64-jsonv2': ['stdlib 1.26.8', ...modules],
  'go1.22-linux-amd64-loopvar': ['stdlib 1.22.1', ...modules],
  'go1.26-linux-amd64-stamped': ['stdlib 1.26.8', ...modules],
  'go1.17-linux-amd64': ['stdlib 1.17.13', ...oldModules],
  'go1.17-linux-amd64-pie': ['stdlib 1.17.13', ...oldModules],
  'go1.17-linux-s390x': ['stdlib 1.17.13', ...oldModules],
  'go1.17-darwin-amd64': ['stdlib 1.17.13', ...oldModules],
  'go1.17-windows-386': ['stdlib 1.17.13', ...oldModules],
}

for (const [name, expected] of Object.entries(programs)) {
  test(`${name} holds what go version -m says, in pieces of any size`, () => {
    const bytes = fixture(name)
    for (const pieceBytes of [bytes.length, 256 * 1024, 4099]) assert.deepEqual(named(probed(go, 'app', bytes, pieceBytes)), expected)
  })
}

test('the stamp of the commit is kept with the main module, and a version that only says that there were no tags is none', () => {
  const main = packagesIn(probed(go, 'app', fixture('go1.26-linux-amd64-stamped'))).find(({ name }) => name === 'example.com/program')
  assert.deepEqual(main, {
    kind: 'golang',
    name: 'example.com/program',
    version: '(devel)',
    vcs: { revision: '1c0c2d56122c8afd4a375bb360c0c8bd52574783', modified: true },
  })
})

test('the magic across two pieces is found', () => {
  const bytes = fixture('go1.26-linux-amd64')
  const at = bytes.indexOf('\xff Go buildinf:', 0, 'latin1')
  for (const cut of [1, 7, 13]) {
    const probe = go.probe(headOf('app', bytes.length, bytes.subarray(0, 4096)))
    assert.ok(probe !== undefined)
    probe.push(bytes.subarray(0, at + cut), 0)
    probe.push(bytes.subarray(at + cut), at + cut)
    assert.equal(named(probe.finish().facts).length, 8)
  }
})

test('a program that carries another is not taken for it, and one that only names the magic is no Go program', () => {
  const outer = fixture('go1.26-linux-amd64')
  const inner = fixture('go1.17-linux-amd64')
  const start = inner.indexOf('\xff Go buildinf:', 0, 'latin1')
  inner.copy(outer, 8192, start, start + 512)
  assert.deepEqual(named(probed(go, 'app', outer)), programs['go1.26-linux-amd64'])
  assert.deepEqual(probed(go, 'app', elfWith('a text with \xff Go buildinf: in it')), [])
})

test('versions of the toolchain as they are spelled', () => {
  const spelled: Record<string, string> = {
    'go1.22.1': '1.22.1',
    'go1.22.1 X:loopvar': '1.22.1',
    'go1.26.8-X:jsonv2': '1.26.8',
    'go1.21': '1.21',
    'go1.23rc1': '1.23.0-rc.1',
    'go1.22.3-1': '1.22.3',
    'go1.20.5b7': '1.20.5',
    'devel go1.24-3c0f6b1 Mon Aug 12': '1.24.0-devel.3c0f6b1',
    'devel +abc Mon': '(devel)',
  }
  for (const [text, version] of Object.entries(spelled)) assert.equal(toolchainVersion(text), version, text)
})

test('replacements, folders, +incompatible, and Go’s own commands', () => {
  const list = [
    'path\texample.com/a/cmd',
    'mod\texample.com/a\tv1.2.3\th1:x=',
    'dep\tgithub.com/docker/docker\tv24.0.7+incompatible\th1:x=',
    'dep\texample.com/b\tv1.0.0',
    '=>\texample.com/fork\tv1.0.1\th1:x=',
    'dep\texample.com/c\tv1.0.0',
    '=>\t/src/c\t',
    'dep\texample.com/d\tv0.0.0',
    '=>\t./d\t(devel)\t',
    'build\tvcs.modified=true',
    '',
  ].join('\n')
  assert.deepEqual(named(factsOf({ version: 'go1.22.1', modules: list })), [
    'stdlib 1.22.1',
    'example.com/a v1.2.3',
    'github.com/docker/docker v24.0.7+incompatible',
    'example.com/fork v1.0.1',
    'example.com/c (devel)',
    'example.com/d (devel)',
  ])
  assert.deepEqual(named(factsOf({ version: 'go1.22.1', modules: 'path\tcmd/gofmt\n' })), ['stdlib 1.22.1', 'toolchain 1.22.1'])
})

test('a program without a list of modules, and one whose build info is cut, are named', () => {
  assert.deepEqual(factsOf({ version: 'go1.12.1', modules: '' })[1], {
    unsupported: { kind: 'Go program without a list of its modules', component: true },
  })
  const bytes = fixture('go1.26-linux-amd64')
  const at = bytes.indexOf('\xff Go buildinf:', 0, 'latin1')
  for (const end of [at + 20, at + 40, at + 300])
    assert.deepEqual(probed(go, 'app', bytes.subarray(0, end)), [
      { unsupported: { kind: 'Go program with unreadable build info', component: true } },
    ])
})

test('pointers that lead nowhere, or to giant strings, are named', () => {
  const unreadable = [{ unsupported: { kind: 'Go program with unreadable build info', component: true } }]
  const bytes = fixture('go1.17-linux-amd64')
  const at = bytes.indexOf('\xff Go buildinf:', 0, 'latin1')
  const wild = Buffer.from(bytes)
  wild.fill(0xee, at + 16, at + 32)
  assert.deepEqual(probed(go, 'app', wild), unreadable)
  const giant = Buffer.from(bytes)
  const header = Number(bytes.readBigUInt64LE(at + 16))
  for (let from = 0; from + 16 < giant.length; from += 8)
    if (giant.readBigUInt64LE(from + 8) === 9n && Number(giant.readBigUInt64LE(from)) > 0x400000)
      giant.writeBigUInt64LE(1n << 40n, from + 8)
  assert.ok(header > 0)
  assert.deepEqual(probed(go, 'app', giant), unreadable)
})

test('whatever stands in a program, the probe ends and throws nothing', () => {
  const samples = ['go1.26-linux-amd64', 'go1.17-linux-amd64', 'go1.26-windows-amd64', 'go1.26-darwin-arm64'].map((name) => {
    const whole = fixture(name)
    const at = whole.indexOf('\xff Go buildinf:', 0, 'latin1')
    return { head: Buffer.from(whole.subarray(0, 4096)), info: Buffer.from(whole.subarray(at, at + 2048)), at: at % 4096 }
  })
  fc.assert(
    fc.property(fc.constantFrom(...samples), fc.array(fc.tuple(fc.nat(8191), fc.nat(255)), { maxLength: 20 }), (sample, changes) => {
      const bytes = Buffer.concat([sample.head, Buffer.alloc(sample.at), sample.info])
      for (const [at, value] of changes) bytes[at % bytes.length] = value
      for (const { name, version } of packagesIn(probed(go, 'app', bytes, 1000))) assert.ok(!/[\s\0]/.test(name + version))
    }),
    { numRuns: 500 },
  )
})
