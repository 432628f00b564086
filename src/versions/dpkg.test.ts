import { test } from 'node:test'
import { compareDpkg } from './dpkg.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

test('dpkg: epochs, tildes, revisions', () => {
  assertVectors(
    compareDpkg,
    parseVectors(`
    1.2 < 1.10
    1.2.3 = 0:1.2.3
    1.2.3 = 1.2.3-0
    1.2.3-1 < 1.2.3-1+b1
    1.2.3-1+deb12u1 < 1.2.3-1+deb12u2
    # the epoch outweighs all (trivy#77)
    2.36-9 < 1:2.36-9
    9:1.0 < 10:0.1
    4:10.2.1-1 > 10.2.1-6
    # a tilde sorts before the end
    1.0~rc1-1 < 1.0-1
    1.0~~ < 1.0~
    1.0~ < 1.0
    1.2.3-1~deb7u1 < 1.2.3-1
    # letters before marks, marks after the end
    1.0a < 1.0+a
    1.0 < 1.0a
    2.7.4+reloaded2-13ubuntu1 < 2.7.4+reloaded2-13+deb9u1
    # the last hyphen splits
    1.0-1-2 > 1.0-1-1
    1.0-1-2 < 1.0-2-1
    1.00-1 = 1.0-01
    1:2:3-1 > 1:2-3
    0.99999999999999999998 < 0.99999999999999999999
    2147483647:1 > 2147483646:1
  `),
  )
})

test('dpkg: what dpkg would not install is unknown', () => {
  const refused = [
    '',
    ':1',
    '1:',
    'a:1',
    '-1:1',
    '1.5:1',
    '2147483648:1',
    'a1',
    '-1',
    '1-',
    '1:-1',
    '1.0_1',
    '1.0 1',
    '1.0-1_2',
    '1.0-a:b',
    '1.0-é',
    '<unfixed>',
    'unknown',
    '1!2',
  ]
  assertVectors(
    compareDpkg,
    refused.map((a) => ({ a, b: '1.2-3', expected: 'unknown' as const })),
  )
  assertVectors(
    compareDpkg,
    refused.map((a) => ({ a, b: a, expected: 'unknown' as const })),
  )
})

testLaws(
  compareDpkg,
  ['0', '1', '1.2', '1:2', '0:1', '10'],
  ['.', '+', '~', '-', '-1', '1', '0', '00', 'a', 'Z', 'deb', '~rc1', '+b1', ':', '_', '~~', '9'],
)
testSharedVectors(compareDpkg, 'debian-versions.txt', 30, 0, () => false)
testSharedVectors(compareDpkg, 'debian-versions-generated.txt', 14_442, 0, () => false)
