import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bearsAnything, factsOf, packagesOf } from '../testing/extract.ts'
import { normaliseName, python } from './python.ts'

const metadata = 'Metadata-Version: 2.1\nName: Flask_SQL.Alchemy\nVersion: 3.0\nLicense: BSD\nSummary: x\n\nName: in-the-text\nVersion: 9\n'
const path = 'usr/lib/python3/dist-packages/flask-3.0.dist-info/METADATA'

test('the headers are read, by the name of PEP 503; the text after them is not', () => {
  assert.deepEqual(packagesOf(python, path, metadata), [{ kind: 'pypi', name: 'flask-sql-alchemy', version: '3.0', licence: 'BSD' }])
  assert.equal(packagesOf(python, path, 'Name: a\nVersion: 1\nLicense: UNKNOWN\nLicense-Expression: MIT\n')[0]?.licence, 'MIT')
  assert.equal(normaliseName('A.-_b__C'), 'a-b-c')
})

test('every form of an installed distribution, and nothing else', () => {
  const wanted = [path, 'x/a.egg-info', 'x/a.egg-info/PKG-INFO', 'x/a.egg/EGG-INFO/PKG-INFO', 'a-1.dist-info/METADATA']
  const others = [
    'x/a.dist-info/RECORD',
    'x/METADATA',
    'x/PKG-INFO',
    'x/a.egg-info/requires.txt',
    'x/.dist-info-METADATA',
    'x/a.egg-info/sub/PKG-INFO',
  ]
  for (const some of wanted) assert.ok(python.wants(some), some)
  for (const some of others) assert.ok(!python.wants(some), some)
})

test('without a name or a version it is a problem; an empty file is nothing', () => {
  assert.deepEqual(factsOf(python, path, 'Name: a\n'), [{ problem: 'no name or no version that can be read' }])
  assert.deepEqual(factsOf(python, path, 'Name: two words\nVersion: 1\n'), [{ problem: 'no name or no version that can be read' }])
  assert.deepEqual(factsOf(python, path, ''), [])
})

bearsAnything(python, path, metadata)
