import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import { gem } from './gem.ts'

const path = 'usr/lib/ruby/gems/3.1.0/specifications/made_top-3.1.4.gemspec'
const real = JSON.parse(
  zstdDecompressSync(readFileSync(join(import.meta.dirname, 'gem/fixtures/installed.json.zst'))).toString('utf8'),
) as { files: [string, string][]; listed: string[] }

test('what gem list says, default gems and a platform among them, and none besides', async () => {
  const { packages, problems } = squash([await layerOf(real.files)])
  assert.deepEqual(problems, [])
  assert.deepEqual(packages.map(({ name, version }) => `${name}@${version}`).sort(), real.listed)
  const made = (name: string) => packages.find((pack) => pack.name === name)
  assert.equal(made('made-native')?.purl, 'pkg:gem/made-native@2.5?platform=x86_64-linux')
  assert.deepEqual([made('made_top')?.direct, made('made_leaf')?.through], [true, ['made_top@3.1.4']])
})

test('a specification is read by its lines, whoever wrote it', () => {
  const written = `Gem::Specification.new do |spec|\r\n  spec.name    = 'a-b.c'\r\n  spec.version=Gem::Version.new("1.2.0.rc1")\r\n  spec.license = "MIT"\r\n  spec.add_dependency 'x', '~> 1'\r\n  spec.add_development_dependency('y')\r\n  spec.add_dependency "y"\r\nend`
  assert.deepEqual(packagesOf(gem, path, written), [{ kind: 'gem', name: 'a-b.c', version: '1.2.0.rc1', licence: 'MIT', requires: ['x'] }])
  assert.deepEqual(
    packagesOf(gem, path, '# stub: a 1 java lib\n\nGem::Specification.new do |s|\n  s.name = "b"\n  s.version = VERSION\nend'),
    [{ kind: 'gem', name: 'a', version: '1', qualifiers: { platform: 'java' } }],
  )
})

test('what needs Ruby to be read is a problem; of a gem from git a component by name', () => {
  const computed = 'Gem::Specification.new { |s| s.name = \'a\'; s.version = A::VERSION }\n  s.name = "a#{x}"\n'
  assert.deepEqual(factsOf(gem, path, computed), [{ problem: 'no name or no version that can be read' }])
  const git = 'srv/vendor/bundle/ruby/3.1.0/bundler/gems/a-0123456789ab/a.gemspec'
  assert.deepEqual(factsOf(gem, git, computed), [{ unsupported: { kind: 'gem', component: true } }])
  assert.deepEqual(packagesOf(gem, git, "  s.name = 'a'\n  s.version = '1'\n"), [{ kind: 'gem', name: 'a', version: '1' }])
})

test('every place of a gem, and none inside the tests of one', () => {
  const wanted = [path, 'usr/share/rubygems-integration/all/specifications/rake-13.gemspec', 'specifications/default/json-2.gemspec']
  const others = [
    'usr/lib/ruby/gems/3.1.0/gems/rake-13/rake.gemspec',
    'gems/3.1.0/gems/bundler-2/spec/x/specifications/a.gemspec',
    'specifications/x/a.gemspec',
    'a.gemspec',
  ]
  for (const some of wanted) assert.ok(gem.wants(some), some)
  for (const some of others) assert.ok(!gem.wants(some), some)
})

bearsAnything(gem, path, '# stub: a 1 ruby lib\n  s.name = "a".freeze\n  s.version = "1"\n  s.add_dependency(%q<b>.freeze)\n')
