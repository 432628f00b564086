import { test } from 'node:test'
import { compareCrates } from './crates.ts'
import { compareHex } from './hex.ts'
import { assertVectors, parseVectors, testLaws } from './vectors.testing.ts'

test('crates, hex: SemVer 2.0.0', () => {
  for (const compare of [compareCrates, compareHex]) {
    assertVectors(
      compare,
      parseVectors(`
      1.0.0-alpha < 1.0.0-alpha.1
      1.0.0-alpha.1 < 1.0.0-alpha.beta
      1.0.0-beta.2 < 1.0.0-beta.11
      1.0.0-rc.1 < 1.0.0
      0.0.0-0 < 0.0.0
      1.0.0+1 = 1.0.0+2
      1.9.0 < 1.10.0
      1.0.0-0a < 1.0.0-a
    `),
    )
    const refused = [
      '',
      '1',
      '1.2',
      '1.2.3.4',
      'v1.2.3',
      '01.2.3',
      '1.2.3-01',
      '1.2.3-',
      '1.2.3+',
      '1.2.3-a..b',
      '1.2.3 ',
      '^1.2.3',
      '1.2.x',
    ]
    assertVectors(
      compare,
      refused.map((a) => ({ a, b: '1.2.3', expected: 'unknown' as const })),
    )
  }
})

testLaws(compareCrates, ['0.0.0', '1.2.3', '1.2.3-a', '10.20.30'], ['.', '.0', '-alpha', '-1', '+b', '.a', '-', '1', '.10', 'x'])
testLaws(compareHex, ['0.0.0', '1.2.3', '1.2.3-rc.0', '10.20.30'], ['.', '.0', '-dev', '-1', '+b', '.a', '-', '1', '.10', 'x'])
