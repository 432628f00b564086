import { test } from 'node:test'
import { compareMaven } from './maven.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

test('maven: the order of qualifiers, and what is only another spelling', () => {
  assertVectors(
    compareMaven,
    parseVectors(`
      1.0-alpha-1 < 1.0-beta-1
      1.0-beta-1 < 1.0-milestone-1
      1.0-milestone-1 < 1.0-rc-1
      1.0-rc-1 < 1.0-SNAPSHOT
      1.0-SNAPSHOT < 1.0
      1.0 < 1.0-sp
      1.0-sp < 1.0-abc
      1.0-abc < 1.0-1
      1.0-1 < 1.0.1
      1.0-CR1 = 1.0-rc-1
      1.0a1 = 1.0-alpha-1
      1.0b1 = 1.0-beta1
      1.0m1 = 1.0-milestone-1
      1.0-ga = 1.0
      1.0.Final = 1
      1.0-RELEASE = 1.0.0
      2.0.1 > 2.0.1.RC3
      5.3.9.Final < 5.3.10.Final
      31.1-android < 31.1-jre
      2.14.1 < 2.15.0
      9.9999999999999999999 < 9.10000000000000000000
      1-ga1 > 1
    `),
  )
})

test('maven: what is no version', () => {
  assertVectors(compareMaven, parseVectors('${revision} ? 1.0\n[1.0,2.0) ? 1.0\né ? 1.0'))
})

testSharedVectors(compareMaven, 'maven-versions.txt', 102, 0, () => false)
testSharedVectors(compareMaven, 'maven-versions-generated.txt', 14_752, 0, () => false)

test('maven: a ring that the specification makes, and the shared vectors with it (2.9.0-1 < 2.9.0.RC1)', () => {
  assertVectors(compareMaven, parseVectors('1.0.RC1 < 1\n1 < 1-1\n1-1 < 1.0.RC1'))
})

// Without qualifiers after a dot, which that ring needs.
testLaws(
  compareMaven,
  ['1', '1.0', '2', '0', '10', '1.0.0'],
  ['.1', '.0', '-1', '-rc', 'rc', '-rc-1', '-alpha', 'a', '1', '-SNAPSHOT', '-sp', '-ga', 'x', '-x1', '10', '-20240101.1'],
)
