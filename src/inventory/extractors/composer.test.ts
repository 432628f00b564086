import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { squash } from '../squash.ts'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { layerOf } from '../testing/tars.ts'
import { composer } from './composer.ts'

const path = 'srv/app/vendor/composer/installed.json'
const real = JSON.parse(readFileSync(join(import.meta.dirname, 'composer/fixtures/installed.json'), 'utf8')) as {
  installed: string
  manifest: string
  listed: { name: string; version: string; 'direct-dependency': boolean }[]
  noDev: string[]
}

async function packagesWith(manifest: boolean) {
  const { packages, problems } = squash([
    await layerOf([
      [path, real.installed],
      ...(manifest ? [['srv/app/composer.json', real.manifest] as const].map(([name, text]): [string, string] => [name, text]) : []),
    ]),
  ])
  assert.deepEqual(problems, [])
  return packages
}

test('what composer lists: versions, who is direct, who is for development', async () => {
  const packages = await packagesWith(true)
  assert.deepEqual(
    packages.map(({ name, version, direct = false }) => ({ name, version, 'direct-dependency': direct })),
    real.listed,
  )
  assert.deepEqual(
    packages.flatMap(({ name, dev }) => (dev ? [] : [name])),
    real.noDev,
  )
  assert.deepEqual(packages.find(({ name }) => name === 'made/leaf')?.through, ['made/top@dev-main'])
  assert.deepEqual(
    (await packagesWith(false)).flatMap(({ name, dev }) => (dev ? [] : [name])),
    real.noDev,
  )
  assert.equal(packages[1]?.purl, 'pkg:composer/made/leaf@v2.0.1')
  assert.equal(packages[1]?.licence, 'MIT OR BSD-3-Clause')
})

test('the list of composer 1, and a package of Drupal’s repository', () => {
  const one = '[{"name":"A/B","version":"1.0","license":"MIT","require":{"php":">=7","ext-json":"*","C/d":"1"}}]'
  assert.deepEqual(packagesOf(composer, path, one), [{ kind: 'composer', name: 'a/b', version: '1.0', licence: 'MIT', requires: ['c/d'] }])
  const drupal = '{"packages":[{"name":"drupal/token","version":"1.0.0","notification-url":"https://packages.drupal.org/8/downloads"}]}'
  assert.deepEqual(packagesOf(composer, path, drupal)[0]?.qualifiers, { repository_url: 'https://packages.drupal.org/8' })
})

test('what can not be read is a problem, in its place; a manifest of another form says nothing', () => {
  for (const text of ['', '{}', 'null', '{"packages":{}}', '7'])
    assert.match(JSON.stringify(factsOf(composer, path, text)), /"problem"/, text)
  assert.deepEqual(factsOf(composer, path, '[{"name":"a/b","version":"1"},{"name":"a"},{"name":"a/../b","version":"1"},null]'), [
    { package: { kind: 'composer', name: 'a/b', version: '1' } },
    ...[2, 3, 4].map((at) => ({ problem: `package ${at}: no name or no version that can be read` })),
  ])
  for (const text of ['', '[]', '{"require":[]}']) assert.deepEqual(factsOf(composer, 'srv/app/composer.json', text), [])
})

test('its own files wherever the vendor folder is, and none inside of packages', () => {
  for (const some of [path, 'root/.config/composer/vendor/composer/installed.json', 'srv/lib/composer/installed.json', 'composer.json'])
    assert.ok(composer.wants(some), some)
  for (const some of ['srv/vendor/a/b/composer.json', 'srv/installed.json', 'srv/xcomposer.json', 'vendor/composer/installed.php'])
    assert.ok(!composer.wants(some), some)
})

bearsAnything(composer, path, '{"packages":[{"name":"a/b","version":"1","require":{"c/d":"*"}}],"dev-package-names":["a/b"]}')
