import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ImagePackage } from '../../model/package.ts'
import { packageComponents } from './components.ts'

const jar = (location: string): ImagePackage => ({
  kind: 'maven',
  name: 'org.example:lib-a',
  version: '1.0',
  purl: 'pkg:maven/org.example/lib-a@1.0',
  location,
  layer: `sha256:${'a'.repeat(64)}`,
})

test('a package of Maven has its group, the licence of whichever place says it, and every place where it was found', () => {
  const components = packageComponents([jar('app.jar!/lib/a.jar'), { ...jar('b.war!/WEB-INF/lib/a.jar!/x.jar'), licence: 'MIT' }])
  assert.equal(components.length, 1)
  const { group, name, version, evidence, licenses } = components[0] ?? assert.fail()
  assert.deepEqual(licenses, [{ license: { id: 'MIT' } }])
  assert.deepEqual([group, name, version], ['org.example', 'lib-a', '1.0'])
  assert.deepEqual(
    evidence?.occurrences.map(({ location }) => location),
    ['/app.jar!/lib/a.jar', '/b.war!/WEB-INF/lib/a.jar!/x.jar'],
  )
})
