import assert from 'node:assert/strict'
import { test } from 'node:test'
import { comparePackagist, isPackagistBranch } from './packagist.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

test('packagist: words of stability, marks, metadata, branches', () => {
  assertVectors(
    comparePackagist,
    parseVectors(`
    1.0-dev < 1.0-alpha1
    1.0-alpha1 < 1.0-beta1
    1.0-beta1 < 1.0-RC1
    1.0-RC1 < 1.0
    1.0-rc1 = 1.0RC1
    1.0 < 1.0-p1
    1.0-p1 = 1.0-patch1
    1.0 < 1.0.0
    v1.2.3 = 1.2.3
    1.2_3 = 1.2.3
    1.0.0+1 = 1.0.0+2
    dev-main < 0.0.1
    dev-main = dev-main
    dev-main ? dev-feature/a
    1.0-foo < 1.0-dev
  `),
  )
})

test('packagist: what is no version is unknown', () => {
  const refused = ['', 'v', 'main', 'dev-', '^1.2', '>=1.2', '1.0 ', '1.0|2.0', '1.0/2', 'é1']
  assertVectors(
    comparePackagist,
    refused.map((a) => ({ a, b: '1.2', expected: 'unknown' as const })),
  )
})

test('packagist: branches are told from releases', () => {
  assert.deepEqual(['dev-main', '1.x-dev', '2.1.X-dev'].map(isPackagistBranch), [true, true, true])
  assert.deepEqual(['1.0-dev', '1.0', 'dev-', ''].map(isPackagistBranch), [false, false, false, false])
})

testLaws(
  comparePackagist,
  ['0', '1', 'v1.0', '1.2.3', 'dev-', '1.x'],
  ['.', '.0', '-dev', '-alpha', '-beta2', 'RC1', 'p', '_1', '+b', '10', 'x', '-', 'a', '.BETA'],
)
testSharedVectors(comparePackagist, 'packagist-versions.txt', 95, 0, () => false)
testSharedVectors(comparePackagist, 'packagist-versions-generated.txt', 10_630, 0, () => false)
