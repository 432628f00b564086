import { test } from 'node:test'
import { compareRpm } from './rpm.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

test('rpm: epochs, runs, tildes, carets, releases', () => {
  assertVectors(
    compareRpm,
    parseVectors(`
    1.0 < 1.10
    1.0 = 1_0
    1.05 = 1.5
    5.5p1 < 5.5p10
    # digits are newer than letters
    1.0a < 1.0.1
    xyz.4 < 2
    6.0.rc1 > 6.0
    # the epoch outweighs all
    1:1.0-1 > 2.0-1
    0:1.0-1 = 1.0-1
    9:1 < 10:1
    # releases
    1.0-1.el9 < 1.0-2.el9
    1.0 < 1.0-1
    3.0.7-27.el9 < 3.0.7-27.el9_4.1
    # a tilde before the end, a caret after it
    1.0~rc1 < 1.0
    1.0~rc1 < 1.0~rc2
    1.0~rc1 < 1.0arc1
    1.0 < 1.0^
    1.0^git1 < 1.0.1
    1.0^20160101 < 1.0^20160101^git1
    1.0~rc1 < 1.0~rc1^git1
    1.0^git1~pre < 1.0^git1
    1.99999999999999999998 < 1.99999999999999999999
  `),
  )
})

test('rpm: what is no epoch, an empty release, and marks of any kind', () => {
  assertVectors(
    compareRpm,
    parseVectors(`
    a:1 < a:2
    a:1 < b:1
    1 < 1-
    1- < 1-0
    1-2-3 < 1-2-4
    1.1.α = 1.1.β
    1.1.α < 1.1.a
    1/2 = 1.2
    4.module+el9-n:1 < 5.module+el9-n:1
  `),
  )
})

test('rpm: what is no version is unknown', () => {
  const refused = ['', ':1', '1:', '-1', '1:-1', '1.0 1', '1.0\n', '1.0\u00a01', '12345678901:1', '1:2:3']
  assertVectors(
    compareRpm,
    refused.map((a) => ({ a, b: '1.0-1', expected: 'unknown' as const })),
  )
  assertVectors(
    compareRpm,
    refused.map((a) => ({ a, b: a, expected: 'unknown' as const })),
  )
})

testLaws(
  compareRpm,
  ['0', '1', '1.2', '1:2', '0:1', 'a'],
  ['.', '.0', '_', '+', '~', '~rc1', '^', '^git1', '-1', '1', '00', 'a', 'el9', '.el9_4.1', ':', 'Z'],
)

testSharedVectors(compareRpm, 'redhat-versions.txt', 165, 0, () => false)
