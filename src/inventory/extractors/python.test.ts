import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { pythonEgg } from './python-egg.ts'
import { python } from './python.ts'
import { normaliseName } from './python/metadata.ts'
import { zipOf } from '../testing/zips.ts'

const metadata = 'Metadata-Version: 2.1\nName: Flask_SQL.Alchemy\nVersion: 3.0\nLicense: BSD\nSummary: x\n\nName: in-the-text\nVersion: 9\n'
const path = 'usr/lib/python3/dist-packages/flask-3.0.dist-info/METADATA'

test('the headers are read, by the name of PEP 503; the text after them is not', () => {
  assert.deepEqual(packagesOf(python, path, metadata), [{ kind: 'pypi', name: 'flask-sql-alchemy', version: '3.0', licence: 'BSD' }])
  assert.equal(packagesOf(python, path, 'Name: a\nVersion: 1\nLicense: UNKNOWN\nLicense-Expression: MIT\n')[0]?.licence, 'MIT')
  assert.equal(normaliseName('A.-_b__C'), 'a-b-c')
})

test('every form of an installed distribution, and nothing else', () => {
  const wanted = [
    path,
    'lib/site-packages/setuptools/_vendor/a-1.dist-info/METADATA',
    'srv/pkgs/lib/python3/site-packages/a-1.dist-info/METADATA',
    'test/lib/site-packages/a-1.dist-info/METADATA',
    'EGG-INFO/PKG-INFO',
    'x/a_b-1.0.dist-info/REQUESTED',
    'x/a-1.0.dist-info/direct_url.json',
    'x/a.egg-info',
    'x/a.egg-info/PKG-INFO',
    'x/a.egg/EGG-INFO/PKG-INFO',
    'a-1.dist-info/METADATA',
  ]
  const others = [
    'x/a.dist-info/RECORD',
    'x/METADATA',
    'x/PKG-INFO',
    'x/a.egg-info/requires.txt',
    'x/.dist-info-METADATA',
    'x/a.egg-info/sub/PKG-INFO',
    'lib/python3/site-packages/pkginfo/tests/a-1.dist-info/METADATA',
    'lib/site-packages/setuptools/test/fixtures/a.egg-info/PKG-INFO',
    'opt/conda/pkgs/a-1.0-py312_0/lib/python3.12/site-packages/a-1.0.dist-info/METADATA',
    'opt/conda/pkgs/a-1.0-pyhd8ed1ab_0/site-packages/a-1.0.dist-info/METADATA',
  ]
  for (const some of wanted) assert.ok(python.wants(some), some)
  for (const some of others) assert.ok(!python.wants(some), some)
})

test('without a name or a version it is a problem; an empty file is nothing', () => {
  assert.deepEqual(factsOf(python, path, 'Name: a\n'), [{ problem: 'no name or no version that can be read' }])
  assert.deepEqual(factsOf(python, path, 'Name: two words\nVersion: 1\n'), [{ problem: 'no name or no version that can be read' }])
  assert.deepEqual(factsOf(python, path, ''), [])
})

test('headers as of an e-mail: folded ones, white space that ends nothing, a mark at the start', () => {
  const licensed =
    '\ufeffMetadata-Version: 2.1\nName: a\nVersion: 1\nLicense: Some words\n        \n        Version: 9\nRequires-Dist: b (>=1)\nrequires-dist: C.D[e]>=1 ; python_version < "4"\nRequires-Dist: f ; extra == "x"\n\nRequires-Dist: g\n'
  assert.deepEqual(packagesOf(python, path, licensed), [{ kind: 'pypi', name: 'a', version: '1', requires: ['b', 'c-d'] }])
})

test('licences: the expression, classifiers that are exact, else the old words', () => {
  const licence = (lines: string) => packagesOf(python, path, `Name: a\nVersion: 1\n${lines}\n`)[0]?.licence
  assert.equal(
    licence('License: BSD\nLicense-Expression: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License'),
    'BSD-3-Clause',
  )
  assert.equal(
    licence(
      'License: x\nClassifier: License :: OSI Approved :: MIT License\nClassifier: License :: OSI Approved :: Apache Software License',
    ),
    'MIT OR Apache-2.0',
  )
  assert.equal(licence('License: BSD-3-Clause\nClassifier: License :: OSI Approved :: BSD License'), 'BSD-3-Clause')
  assert.equal(licence('Classifier: License :: OSI Approved :: BSD License'), 'BSD License')
})

test('REQUESTED and direct_url.json speak of the package beside them', () => {
  assert.deepEqual(factsOf(python, 'x/Zope.Interface-5.0.dist-info/REQUESTED', ''), [
    { manifest: { kind: 'pypi', direct: ['zope-interface'] } },
  ])
  const source = (json: string) => factsOf(python, 'x/a-1.dist-info/direct_url.json', json)
  assert.deepEqual(source('{"url":"https://example.org/a.whl","archive_info":{}}'), [
    { manifest: { kind: 'pypi', source: { download_url: 'https://example.org/a.whl' } } },
  ])
  for (const json of ['', '[]', '{"url":7}', '{"url":"x y"}', '{"url":"file:///src","dir_info":{"editable":true}}'])
    assert.deepEqual(source(json), [], json)
})

test('an egg that is no zip is nothing, one that was cut short an error', () => {
  const egg = zipOf([
    ['EGG-INFO/PKG-INFO', 'Name: A_b\nVersion: 1\n'],
    ['x/EGG-INFO/PKG-INFO', 'Name: c\nVersion: 1\n'],
  ])
  assert.deepEqual(packagesOf(pythonEgg, 'x/a.egg', egg), [{ kind: 'pypi', name: 'a-b', version: '1', within: 'EGG-INFO/PKG-INFO' }])
  assert.deepEqual(factsOf(pythonEgg, 'x/a.egg', 'chicken'), [])
  assert.deepEqual(factsOf(pythonEgg, 'x/a.egg', zipOf([['x', '']])), [])
  for (let cut = 30; cut < egg.length; cut++) assert.throws(() => factsOf(pythonEgg, 'x/a.egg', egg.subarray(0, cut)), Error, String(cut))
})

bearsAnything(python, path, metadata)
bearsAnything(python, 'x/a-1.0.dist-info/direct_url.json', '{"url":"https://example.org/a.git","vcs_info":{"vcs":"git","commit_id":"0a"}}')
