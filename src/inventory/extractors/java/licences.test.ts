import assert from 'node:assert/strict'
import { test } from 'node:test'
import { licenceOfManifest, licenceOfPom } from './licences.ts'
import { parseManifest } from './manifest.ts'

const pom = (...licences: string[]) =>
  licenceOfPom(Buffer.from(`<project><name>x</name><licenses>\n${licences.join('\n')}</licenses></project>`))
const licence = (name: string, url = '') =>
  `<license><name>${name}</name>${url && `<url>${url}</url>`}<distribution>repo</distribution></license>`

test('a pom: by name, else by address, and any of several may be chosen', () => {
  assert.equal(pom(licence('The Apache Software License, Version 2.0')), 'Apache-2.0')
  assert.equal(pom(licence('Our words', 'https://www.eclipse.org/legal/epl-2.0/')), 'EPL-2.0')
  assert.equal(
    pom(licence('EPL 2.0'), licence('GPL2 w/ CPE', 'https://www.gnu.org/software/classpath/license.html')),
    'EPL-2.0 OR GPL-2.0-only WITH Classpath-exception-2.0',
  )
  assert.equal(pom(licence('A &amp; B')), 'A & B')
  assert.equal(pom(`<!-- ${licence('MIT')} -->`, licence('ISC')), 'ISC')
  assert.equal(pom(), undefined)
})

test('a pom that is cut, or has none', () => {
  assert.equal(licenceOfPom(Buffer.from('<project></project>')), undefined)
  assert.equal(licenceOfPom(Buffer.from(`<licenses>${licence('MIT')}`)), undefined)
  assert.equal(licenceOfPom(Buffer.from(`<licenses><license><name>MIT</licenses>`)), undefined)
  const start = performance.now()
  for (const piece of ['<licenses>', '<license>', '<!--', '<name>']) pom(piece.repeat(400_000))
  assert.ok(performance.now() - start < 10_000)
})

test('the manifest of a bundle, where all of it is known', () => {
  const of = (value: string) => licenceOfManifest(parseManifest(Buffer.from(`Manifest-Version: 1.0\r\nBundle-License: ${value}\r\n`)))
  assert.equal(of('https://www.apache.org/licenses/LICENSE-2.0.txt'), 'Apache-2.0')
  assert.equal(of('"Apache-2.0";link="https://www.apache.org/licenses/LICENSE-2.0"'), 'Apache-2.0')
  assert.equal(of('http://www.eclipse.org/legal/epl-2.0, https://www.gnu.org/software/classpath/license.html'), undefined)
  assert.equal(of('http://www.eclipse.org/legal/epl-2.0, https://www.apache.org/licenses/LICENSE-2.0'), 'EPL-2.0 OR Apache-2.0')
  assert.equal(of('Apache License, Version 2.0'), 'Apache-2.0')
  assert.equal(licenceOfManifest(new Map()), undefined)
})
