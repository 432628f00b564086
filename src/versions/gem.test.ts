import { test } from 'node:test'
import { compareGem } from './gem.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

// Each answer is that of Gem::Version (RubyGems 3.3) by `ruby -e`.
test('gem: runs of digits and letters, zeros that say nothing, hyphens', () => {
  assertVectors(
    compareGem,
    parseVectors(`
    1.0 = 1
    1.0.0.a = 1.a
    1.0.a < 1.0
    1.0.a < 1.0.b
    1.0.a9 < 1.0.a10
    1.2-3 < 1.2
    1.2-3 = 1.2.pre.3
    1.a.0.b < 1.a
    1.0.RC1 < 1.0.rc1
    2.0.0.rc1 < 2.0.0.rc1.1
    99999999999999999998 < 99999999999999999999
  `),
  )
})

test('gem: what is no version is unknown', () => {
  const refused = ['', 'a', '.1', '1.', '1..2', '1.2_3', '1.2-', '1 2', '1.é', '>= 1.2', 'v1.2', '1.15.4-x86_64-linux']
  assertVectors(
    compareGem,
    refused.map((a) => ({ a, b: '1.2', expected: 'unknown' as const })),
  )
})

testLaws(compareGem, ['0', '1', '1.0', '1.2.3', '10'], ['.', '.0', '.a', '.rc1', '.pre', '-1', '-a', 'b', '0', '9', '.10', '.A'])
testSharedVectors(compareGem, 'rubygems-versions.txt', 25, 0, () => false)
testSharedVectors(compareGem, 'rubygems-versions-generated.txt', 4098, 0, () => false)
