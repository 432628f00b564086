import { test } from 'node:test'
import { compareGo } from './go.ts'
import { assertVectors, parseVectors, testLaws } from './vectors.testing.ts'

test('go: modules, with and without the v', () => {
  assertVectors(
    compareGo,
    parseVectors(`
    v1.2.3 = 1.2.3
    v1 = v1.0.0
    v1.2 = v1.2.0
    v1.2.3-pre < v1.2.3
    v2.0.0+incompatible = 2.0.0
    v1.9.0 < v1.10.0
    # pseudo-versions (grype#972): before the first release, after a release, after a pre-release
    v0.0.0-20190101000000-abcdefabcdef < v0.0.0-20200101000000-abcdefabcdef
    v0.0.0-20200101000000-abcdefabcdef < v0.0.1
    v1.2.3 < v1.2.4-0.20200101000000-abcdefabcdef
    v1.2.4-0.20200101000000-abcdefabcdef < v1.2.4
    v1.2.4-pre < v1.2.4-pre.0.20200101000000-abcdefabcdef
    v1.2.4-0.20200101000000-abcdefabcdef < v1.2.4-rc1
  `),
  )
})

test('go: toolchains as they call themselves', () => {
  assertVectors(
    compareGo,
    parseVectors(`
    go1.22.1 = 1.22.1
    go1.20 = 1.20.0
    go1.21rc2 = 1.21.0-rc.2
    go1.21rc2 < go1.21rc10
    go1.21beta1 < go1.21rc1
    go1.21.6-fips = 1.21.6
    1.21.0-0 < go1.21rc1
  `),
  )
  // grype#1851: what follows the version must not hide what is known of it.
  assertVectors(compareGo, [
    { a: 'go1.22.1 X:loopvar', b: '1.22.1', expected: 0 },
    { a: 'go1.22.0 X:loopvar,boringcrypto', b: '1.22.1', expected: -1 },
  ])
})

test('go: what is no version is unknown (grype#1416)', () => {
  const refused = ['', 'v', '(devel)', 'devel', 'devel go1.22-abcdef', 'v1.2.3.4', 'v01.2.3', 'v1.2-pre', 'v1+meta', 'latest', 'go', 'goX']
  assertVectors(
    compareGo,
    refused.map((a) => ({ a, b: 'v1.2.3', expected: 'unknown' as const })),
  )
})

testLaws(
  compareGo,
  ['v0.0.0', 'v1.2.3', '1.2', 'go1.21', 'v1'],
  ['.', '.0', '-0.20200101000000-abcdefabcdef', '-rc.1', 'rc1', '+incompatible', '-1', ' X:a', '.10', 'beta2', '1'],
)
