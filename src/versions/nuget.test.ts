import { test } from 'node:test'
import { compareNuget } from './nuget.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

test('nuget: four numbers, labels without case, metadata', () => {
  assertVectors(
    compareNuget,
    parseVectors(`
    1 = 1.0.0.0
    1.0.0 < 1.0.0.1
    1.0.0.1-rc.2 < 1.0.0.1-RC.10
    1.0.0-Alpha = 1.0.0-alpha
    1.0.0-1 < 1.0.0-a
    1.0.0-a < 1.0.0-a.1
    1.0.0-rc < 1.0.0
    1.0.0+a = 1.0.0+b
    01.2 = 1.2
  `),
  )
})

test('nuget: what is no version is unknown', () => {
  const refused = ['', 'v1.0', '1.0.0.0.0', '1.0.', '1.0-', '1.0+', '1.0-a..b', '1.0 ', '[1.0,2.0)', '1.*', '1.0-é']
  assertVectors(
    compareNuget,
    refused.map((a) => ({ a, b: '1.0', expected: 'unknown' as const })),
  )
})

testLaws(compareNuget, ['0', '1.0', '1.2.3', '1.2.3.4', '10'], ['.', '.0', '-a', '-A', '.1', '-rc.1', '-RC.10', '+b', '-', '1', 'x'])
testSharedVectors(compareNuget, 'nuget-versions.txt', 35, 0, () => false)
