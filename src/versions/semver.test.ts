import { test } from 'node:test'
import { compareSemver } from './semver.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

test('semver: section 11', () => {
  assertVectors(
    compareSemver,
    parseVectors(`
    1.0.0 < 2.0.0
    2.0.0 < 2.1.0
    2.1.0 < 2.1.1
    1.9.0 < 1.10.0
    1.0.0-alpha < 1.0.0-alpha.1
    1.0.0-alpha.1 < 1.0.0-alpha.beta
    1.0.0-alpha.beta < 1.0.0-beta
    1.0.0-beta.2 < 1.0.0-beta.11
    1.0.0-rc.1 < 1.0.0
    1.0.0-1 < 1.0.0-a
    1.0.0-A < 1.0.0-a
    1.0.0-rc.1+b1 = 1.0.0-rc.1+b2
    1.0.0 = 1.0.0+20130313144700
    1.0.0-x-y-z.-- < 1.0.0
    99999999999999999998.0.0 < 99999999999999999999.0.0
  `),
  )
})

test('semver: what npm and Go data have besides', () => {
  assertVectors(
    compareSemver,
    parseVectors(`
    v1.2.3 = 1.2.3
    =v1.2.3 = 1.2.3
    1 = 1.0.0
    1.2 = 1.2.0
    1.2-rc < 1.2.0
    01.2.3 = 1.2.3
    1.2.3-01 = 1.2.3-1
    1.2.3beta < 1.2.3
    1.2.3beta = 1.2.3-beta
    v0.0.0-20190101000000-abcdefabcdef < v0.0.0-20200101000000-abcdefabcdef
    v2.0.0+incompatible = 2.0.0
    # numbers beyond the third are in no specification
    1.2.3.4 = 1.2.3.4
    1.2.3.4 < 1.2.4
    1.2.3.4 ? 1.2.3.5
    1.2.3.4 ? 1.2.3
  `),
  )
})

test('semver: what is no version is unknown', () => {
  const refused = [
    '',
    'v',
    'latest',
    '*',
    '1.x',
    '^1.2.3',
    '>=1.2.3',
    '1.2.3 ',
    '1.2.3-',
    '1.2.3+',
    '1.2.3-a..b',
    '1.2.3-.a',
    '1.2.3-a.',
    '1.2.3+a..b',
    '1.2.3+a+b',
    '1..2',
    '.1.2',
    '1.2.3.',
    '1.2.3-é',
    'vv1.2.3',
    '-1.2.3',
    '1.2.3_a',
  ]
  assertVectors(
    compareSemver,
    refused.map((a) => ({ a, b: '1.2.3', expected: 'unknown' as const })),
  )
  assertVectors(
    compareSemver,
    refused.map((a) => ({ a, b: a, expected: 'unknown' as const })),
  )
})

testLaws(
  compareSemver,
  ['0.0.0', '1.2.3', 'v1.0', '1', '10.20.30', '1.2.3-a'],
  ['.', '.0', '.1', '-alpha', '-1', '-0', '-rc.1', '+b', '.a', '-', '1', '10', '.10', 'beta', '-x-y', 'a'],
)
testSharedVectors(compareSemver, 'semver-versions.txt', 86, 0, () => false)
