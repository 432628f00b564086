import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isInNpmRange, parseNpmRange } from './npm-range.ts'

// Each answer is that of node-semver 7 with `includePrerelease`.
const inside: [string, string][] = [
  ['1.2.3', '^1.2.0'],
  ['1.9.9', '^1.2.0'],
  ['0.2.9', '^0.2.3'],
  ['0.0.3', '^0.0.3'],
  ['0.1.0', '^0'],
  ['1.2.9', '~1.2.3'],
  ['1.9.0', '~1'],
  ['1.2.9', '~> 1.2.3'],
  ['1.2.5', '1.2.x'],
  ['1.5.0', '1'],
  ['9.9.9', '*'],
  ['9.9.9', ''],
  ['1.3.0', '1.2.3 - 2'],
  ['2.3.9', '1.2.3 - 2.3'],
  ['2.3.4', '1.2.3 - 2.3.4'],
  ['1.0.0', '<1.2 || >=2.0.0 <2.1.0'],
  ['2.0.5', '<1.2 || >=2.0.0 <2.1.0'],
  ['1.3.0', '>1.2'],
  ['1.2.9', '<=1.2'],
  ['1.2.3-rc.1', '<1.2.3'],
  ['1.2.3', 'v1.2.3'],
  ['1.2.3', '>= 1.2.3 < 2'],
]
const outside: [string, string][] = [
  ['2.0.0', '^1.2.0'],
  ['2.0.0-rc.1', '^1.2.0'],
  ['0.3.0', '^0.2.3'],
  ['0.0.4', '^0.0.3'],
  ['1.3.0', '~1.2.3'],
  ['1.3.0', '1.2.x'],
  ['2.4.0', '1.2.3 - 2.3'],
  ['1.2.9', '>1.2'],
  ['1.3.0', '<=1.2'],
  ['1.5.0', '<1.2 || >=2.0.0 <2.1.0'],
  ['1.2.3', '<*'],
  ['1.2.3', '>*'],
]

test('npm ranges: the forms of the grammar', () => {
  for (const [version, range] of inside) assert.equal(isInNpmRange(version, range), true, `${version} in ${range}`)
  for (const [version, range] of outside) assert.equal(isInNpmRange(version, range), false, `${version} in ${range}`)
})

test('npm ranges: what is none is unknown, and so is a version that is none', () => {
  for (const range of [
    'latest',
    'git+https://x/y',
    '>',
    '1.2.3.4',
    '^',
    '1.2.3 -',
    '>=1.2.3-',
    '=>1.2.3',
    'x'.repeat(100_000),
    '1'.repeat(64),
  ])
    assert.equal(isInNpmRange('1.2.3', range), 'unknown', range.slice(0, 40))
  assert.equal(isInNpmRange('latest', '*'), 'unknown')
})

test('hostile: any text is answered, and long ones soon', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      assert.ok([true, false, 'unknown'].includes(isInNpmRange('1.2.3', text)))
    }),
  )
  const began = performance.now()
  for (const piece of ['1', '1.', ' ', '||', '>=1 ', '-', '1.2.3-a.', '^~', 'x.'])
    for (const length of [16_000, 4_000_000]) parseNpmRange(piece.repeat(length / piece.length))
  assert.ok(performance.now() - began < 2000)
})
