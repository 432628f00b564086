import { test } from 'node:test'
import { compareBitnami } from './bitnami.ts'
import { assertVectors, parseVectors, testLaws } from './vectors.testing.ts'

test('bitnami: the build comes after the version that it is of', () => {
  assertVectors(
    compareBitnami,
    parseVectors(`
    1.2.3 < 1.2.3-1
    1.0.0-1 < 1.0.0-2
    1.0.0-9 < 1.0.0-10
    1.2.3-10 < 1.2.4
    1.2.0 < 1.2.0-1+metadata
    1.2.3+foo = 1.2.3+bar
    1.2.3-rc1 < 1.2.3
    # the records of Go: "from 1.26.0 on"
    1.26.0 = 1.26.0-0
    # an ordinary build of a fixed version is fixed
    15.2.0-3 > 15.2.0
    foo ? 1.2.3
    1.2.beta ? 1.2.3
  `),
  )
})

testLaws(compareBitnami, ['0', '1.2.3', '1.0', '1.2.3-1'], ['.', '.0', '-0', '-1', '-2', '-rc1', '+b', '.10', '1', 'a'])
