import assert from 'node:assert/strict'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { fixtureOf } from '../testing/probes.ts'
import { layerOf } from '../testing/tars.ts'
import { erlang } from './erlang.ts'
import { termsOf } from './erlang/terms.ts'

const real = JSON.parse(fixtureOf(new URL('erlang/fixtures/release.json.zst', import.meta.url)).toString()) as {
  files: [string, string][]
  listed: string[]
}
const path = 'app/lib/cowboy-2.9.0/ebin/cowboy.app'
const app =
  '%% a comment\n{application,cowboy,[{description,"It\'s \\"small\\""},{vsn,"2.9.0"},{modules,[\'Elixir.A\',b]},\n{applications,[kernel,stdlib,crypto,cowlib,ranch]},{env,[{a,#{b => <<"c"/utf8>>}},{n,-16#ff},{c,$%}]}]}.\n'
const hex =
  '{<<"app">>,<<"cowboy">>}.\n{<<"licenses">>,[<<"ISC">>,<<"MIT">>]}.\n{<<"name">>,<<"cowboy">>}.\n{<<"requirements">>,\n [{<<"cowlib">>,[{<<"optional">>,false}]}]}.\n{<<"version">>,<<"2.9.0">>}.\n'

test('what Erlang itself reads of a release', async () => {
  const { packages, problems, unsupported } = squash([await layerOf(real.files)])
  assert.deepEqual([problems, unsupported], [[], []])
  assert.deepEqual(packages.map(({ name, version }) => `${name}@${version}`).sort(), real.listed)
  const byName = new Map(packages.map((pack) => [pack.name, pack]))
  assert.equal(byName.get('crypto')?.purl, 'pkg:otp/crypto@5.1.2')
  assert.equal(byName.get('p1_utils')?.purl, 'pkg:hex/p1_utils@1.0.25')
  assert.equal(byName.get('pier')?.version, '1.2.0-rc.1+build.5')
  assert.deepEqual(byName.get('pier')?.through, ['harbour@0.3.1'])
  assert.equal(byName.get('harbour')?.direct, true)
})

test('a release above another: what is gone is gone', async () => {
  const upper = await layerOf(['app/lib/.wh.pier-1.2.0-rc.1+build.5', ['app/lib/p1_utils-1.0.25', 'a file where a folder was']])
  const { packages } = squash([await layerOf(real.files), upper])
  assert.deepEqual(
    packages.map(({ name }) => name).filter((name) => name === 'pier' || name === 'p1_utils'),
    [],
  )
})

test('an application with all that terms can hold, and the package that Hex unpacked', () => {
  const requires = ['cowlib', 'ranch']
  assert.deepEqual(packagesOf(erlang, path, app), [{ kind: 'hex', name: 'cowboy', version: '2.9.0', requires }])
  assert.deepEqual(packagesOf(erlang, 'app/deps/cowboy/hex_metadata.config', hex), [
    { kind: 'hex', name: 'cowboy', version: '2.9.0', licence: 'ISC OR MIT' },
  ])
  assert.deepEqual(packagesOf(erlang, 'usr/lib/erlang/releases/25/OTP_VERSION', '25.3.2.8**\n'), [
    { kind: 'program', name: 'erlang', version: '25.3.2.8' },
  ])
})

test('what can not be read is named, with what is wrong and where', () => {
  const said = (text: string) => factsOf(erlang, path, text).map((fact) => ('unsupported' in fact ? fact.unsupported.name : fact))
  assert.deepEqual(said('{application,cowboy,[{modules,[]}]}.'), ['cowboy of a version that is not said'])
  assert.deepEqual(said('{application,cowboy,[\n{vsn,"1"}'), ['cowboy, line 2: no ] at its end'])
  assert.deepEqual(said('{application,cowboy,[{vsn,"1'), ['cowboy, line 1: a text without an end'])
  assert.deepEqual(said(`{application,cowboy,[{vsn,"1"},${'['.repeat(9999)}`), ['cowboy, line 1: terms more than 64 deep'])
  assert.deepEqual(said('{application,cowboy,[{vsn,"2 9"}]}.'), ['cowboy of a version that is not said'])
})

test('what an application carries for its tests is none, and neither is what only looks like one', () => {
  for (const other of [
    'app/deps/rebar/test/data/lib/x/ebin/x.app',
    'app/lib/a-1/priv/fixtures/b/ebin/b.app',
    'app/ebin/x.appup',
    'app/x.app',
    'Applications/X.app/Contents',
    'app/OTP_VERSION',
  ])
    assert.ok(!erlang.wants(other), other)
})

test('a mebibyte of brackets, quotes or comments is read in no time', () => {
  const start = performance.now()
  for (const piece of ['[', '"', "'", '%', '<<', '#{', '$', '{a,', '-', '\\'])
    assert.throws(() => termsOf(Buffer.from(`{a,${piece.repeat(1024 * 1024)}`)), SyntaxError)
  assert.throws(() => termsOf(Buffer.from(`{a,"${'b'.repeat(4_000_000)}`)), SyntaxError)
  assert.ok(performance.now() - start < 20_000)
})

bearsAnything(erlang, path, app)
bearsAnything(erlang, 'app/deps/cowboy/hex_metadata.config', hex)
