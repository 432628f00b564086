import { test } from 'node:test'
import { compareCran } from './cran.ts'
import { compareHackage } from './hackage.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

const both = `
  1 < 1.0
  1.9 < 1.10
  1.02 = 1.2
  99999999999999999998.0 < 99999999999999999999.0
`

test('cran: whole numbers, a hyphen is a dot', () => {
  assertVectors(compareCran, parseVectors(`${both}\n1.0-1 = 1.0.1\n0.1-2 < 0.2-2\n0.9 < 0.75`))
})

test('hackage: whole numbers with dots', () => {
  assertVectors(compareHackage, parseVectors(`${both}\n1.0-1 ? 1.0`))
})

test('cran, hackage: what is no version is unknown', () => {
  for (const compare of [compareCran, compareHackage]) {
    assertVectors(
      compare,
      ['', '.', '1.', '.1', '1..2', '1.a', 'v1', '1.0 ', '1,0', '1.0-'].map((a) => ({ a, b: '1.0', expected: 'unknown' as const })),
    )
  }
})

testLaws(compareCran, ['0', '1', '1.0', '10-2'], ['.', '.0', '-1', '1', '.10', '-', '00', 'a'])
testLaws(compareHackage, ['0', '1', '1.0', '10.2'], ['.', '.0', '1', '.10', '00', 'a'])
testSharedVectors(compareCran, 'cran-versions.txt', 21, 0, () => false)
testSharedVectors(compareCran, 'cran-versions-generated.txt', 57, 0, () => false)
testSharedVectors(compareHackage, 'hackage-versions.txt', 11, 0, () => false)
