import { test } from 'node:test'
import { compareAlpm } from './alpm.ts'
import { assertVectors, parseVectors, testLaws } from './vectors.testing.ts'

// vercmp(8), and answers of libalpm 13 (`alpm_pkg_vercmp`).
test('alpm: epochs, letters at the end, marks, releases where both have one', () => {
  assertVectors(
    compareAlpm,
    parseVectors(`
    1.0a < 1.0b
    1.0b < 1.0beta
    1.0beta < 1.0p
    1.0p < 1.0pre
    1.0pre < 1.0rc
    1.0rc < 1.0
    1.0 < 1.0.a
    1.0.a < 1.0.1
    1 < 1.0
    1.0 < 1.1
    1.1 < 1.1.1
    1.1.1 < 1.2
    1.2 < 2.0
    2.0 < 3.0.0
    1.5.0-1 < 1.5.0-2
    1.5.0-1 < 1.5.1-1
    1.5.0-2 > 1.5.0-1
    1.5-1 = 1.5
    1.5 = 1.5-2
    1.5-1 < 1.6
    0:1.0 = 1.0
    1:1.0 > 2.0
    2:1.0 > 1:2.0
    1.0_1 = 1.0.1
    1.0..1 > 1.0.1
    1.001 = 1.1
    2.0.r5.gabc-1 < 2.0.r10.gabc-1
    1.10 > 1.9
  `),
  )
})

test('alpm: what is no version is unknown', () => {
  const refused = ['', ':1', '1:', '1-', '-1', '1-1-1', '1:1:1', '1.0 1', '1/2', '12345678901:1']
  assertVectors(
    compareAlpm,
    refused.map((a) => ({ a, b: '1.0-1', expected: 'unknown' as const })),
  )
})

// Not a transitive order by design: 1.5-1 = 1.5 = 1.5-2, and 1. < 1.2 < 1..a < 1. with marks in a row. So the pieces have
// no release, and no mark that stands alone.
testLaws(compareAlpm, ['0', '1', '1.2', '1:2', '0:1', 'a'], ['.0', '_1', '+2', 'rc1', '1', '00', 'a', '.r5', ':', 'Z'])
