import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import { nuget } from './nuget.ts'

const path = 'app/TestLibrary.deps.json'
const real = readFileSync(join(import.meta.dirname, 'nuget/fixtures/TestLibrary.deps.json'), 'utf8')

test('packages of which something is there at run time; no project, and nothing that the framework has', async () => {
  const { packages } = squash([await layerOf([[path, real]])])
  assert.deepEqual(
    packages.map(({ name, version, direct, through = [] }) => `${name} ${version}${direct ? ' direct' : ''} ${through.join()}`.trim()),
    [
      'AWSSDK.Core 3.7.10.6 direct',
      'Microsoft.Extensions.DependencyInjection 6.0.0 direct',
      'Microsoft.Extensions.DependencyInjection.Abstractions 6.0.0 Microsoft.Extensions.DependencyInjection@6.0.0',
      'Microsoft.Extensions.Logging 6.0.0 direct',
      'Microsoft.Extensions.Options 6.0.0 Microsoft.Extensions.Logging@6.0.0',
      'Microsoft.Extensions.Primitives 6.0.0 Microsoft.Extensions.Logging@6.0.0',
      'Newtonsoft.Json 13.0.1 direct',
      'Serilog 2.10.0 direct',
      'Serilog.Sinks.Console 4.0.1 direct',
    ],
  )
  assert.equal(packages[0]?.purl, 'pkg:nuget/AWSSDK.Core@3.7.10.6')
})

function depsOf(libraries: Record<string, string>, target: Record<string, object> | undefined): string {
  return JSON.stringify({
    runtimeTarget: { name: 'net8' },
    targets: target === undefined ? {} : { net8: target, other: { 'x/1': { runtime: { 'x.dll': {} } } } },
    libraries: Object.fromEntries(Object.entries(libraries).map(([key, type]) => [key, { type }])),
  })
}

test('the run time that a program carries, native parts, and what only the compiler saw', () => {
  const libraries = {
    'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1': 'runtimepack',
    'n/1': 'package',
    'r/1': 'referenceassembly',
    'c/1': 'package',
    'e/1': 'package',
    'x/1': 'package',
  }
  const target = {
    'runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1': { runtime: { 'System.dll': {} } },
    'n/1': { runtimeTargets: { 'runtimes/linux/native/n.so': {} } },
    'c/1': { compile: { 'c.dll': {} } },
    'e/1': { runtime: { 'lib/net8/_._': {} } },
  }
  assert.deepEqual(
    packagesOf(nuget, path, depsOf(libraries, target)).map(({ name, version }) => `${name} ${version}`),
    ['Microsoft.NETCore.App.Runtime.linux-x64 8.0.1', 'n 1'],
  )
  assert.equal(packagesOf(nuget, path, depsOf(libraries, undefined)).length, 5, 'without a target nothing is left out')
})

test('what can not be read is a problem; a file without libraries says nothing', () => {
  for (const text of ['', '[]', '{']) assert.match(JSON.stringify(factsOf(nuget, path, text)), /not a JSON object/)
  for (const text of ['{}', '{"libraries":[]}', '{"libraries":{"a/1":null,"b/1":{"type":7}}}'])
    assert.deepEqual(factsOf(nuget, path, text), [])
  for (const key of ['a', 'a/', '/1', 'a/b/c', 'a b/1', '../x/1'])
    assert.match(JSON.stringify(factsOf(nuget, path, depsOf({ [key]: 'package' }, undefined))), /is no name and version/, key)
})

bearsAnything(
  nuget,
  path,
  depsOf({ 'a/1': 'package', 'p/1': 'project' }, { 'a/1': { runtime: { 'a.dll': {} } }, 'p/1': { dependencies: { a: '1' } } }),
)
