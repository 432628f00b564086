import { test } from 'node:test'
import { comparePub } from './pub.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

test('pub: the build counts', () => {
  assertVectors(
    comparePub,
    parseVectors(`
    1.0.0 < 1.0.0+1
    1.0.0+1 < 1.0.0+2
    1.0.0+9 < 1.0.0+10
    1.0.0+1 < 1.0.0+a
    1.0.0+1 < 1.0.0+1.0
    1.0.0-a+1 < 1.0.0
    1.0.0+1 < 1.0.1
    latest ? 1.0.0
  `),
  )
})

testLaws(comparePub, ['0.0.0', '1.2.3', '1.2.3-a', '1.2.3+1'], ['.', '.0', '-alpha', '-1', '+b', '+1', '.10', '.a', '1', 'x'])
testSharedVectors(comparePub, 'pub-versions.txt', 100, 0, () => false)
