import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { comparePep440 } from './pep440.ts'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

// PEP 440, appendix B, as it stands there.
const pattern =
  /^\s*v?(?:(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*(?:[-_.]?(?:alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?:[0-9]+)?)?(?:(?:-[0-9]+)|(?:[-_.]?(?:post|rev|r)[-_.]?(?:[0-9]+)?))?(?:[-_.]?dev[-_.]?(?:[0-9]+)?)?)(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?\s*$/i

test('pep440: the order of the specification', () => {
  const inOrder = [
    '0.1',
    '1.dev0',
    '1.0.dev456',
    '1.0a1',
    '1.0a2.dev456',
    '1.0a12.dev456',
    '1.0a12',
    '1.0b1.dev456',
    '1.0b2',
    '1.0b2.post345.dev456',
    '1.0b2.post345',
    '1.0rc1.dev456',
    '1.0rc1',
    '1.0',
    '1.0+abc.5',
    '1.0+abc.7',
    '1.0+5',
    '1.0.post456.dev34',
    '1.0.post456',
    '1.0.15',
    '1.1.dev1',
    '1.10',
    '1!0.1',
    '2!0',
  ]
  for (const [at, a] of inOrder.entries()) for (const b of inOrder.slice(at + 1)) assertVectors(comparePep440, [{ a, b, expected: -1 }])
})

test('pep440: spellings of one version', () => {
  assertVectors(
    comparePep440,
    parseVectors(`
    1.0 = 1
    1.0.0.0 = 1
    v1.0 = 1.0
    0!1.0 = 1.0
    1.0alpha1 = 1.0a1
    1.0-ALPHA.1 = 1.0a1
    1.0_beta = 1.0b0
    1.0c1 = 1.0rc1
    1.0preview_1 = 1.0rc1
    1.0-1 = 1.0.post1
    1.0rev2 = 1.0.post2
    1.0.r = 1.0.post0
    1.0dev = 1.0.dev0
    1.0rcdev = 1.0rc0.dev0
    1.0a-.post1 = 1.0a0.post1
    1.0+ubuntu-1 = 1.0+Ubuntu.1
    00!1.00 = 1.0
    1.0a01 = 1.0a1
    99999999999999999998 < 99999999999999999999
    1.0+local.a < 1.0+local.1
    1.0 < 1.0+local
  `),
  )
})

test('pep440: what is not of PEP 440 is unknown, legacy versions too', () => {
  const refused = [
    '',
    'v',
    '1.0-final',
    '2.0.0-bulbasaur',
    '1.0p1',
    '0.3m1',
    'trunk',
    '1.0.',
    '.1',
    '1..0',
    '1!',
    '!1',
    '1!2!3',
    '1.0+',
    '1.0+a..b',
    '1.0+-a',
    '1.0+a_',
    '1.0 1',
    '1.0a1b2',
    '1.0.dev1.post1',
    '1.0.post1a1',
    '1.0--1',
    'vv1',
    '2013-01-21T20:33:09+0100',
    '1.0+é',
    '１.0',
  ]
  assertVectors(
    comparePep440,
    refused.map((a) => ({ a, b: '1.0', expected: 'unknown' as const })),
  )
  assertVectors(
    comparePep440,
    refused.map((a) => ({ a, b: a, expected: 'unknown' as const })),
  )
})

test('pep440: takes exactly what the pattern of the specification takes', () => {
  const pieces = [
    '.',
    '.0',
    '1',
    '10',
    'a1',
    'alpha',
    'beta',
    'b',
    'c',
    'rc',
    'pre',
    'preview',
    'r',
    'rev',
    '.post',
    '-1',
    '-',
    '_',
    '.dev',
    'dev2',
    '+',
    '+local',
    '.A',
    '!',
    'v',
    'x',
    ' ',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 7 }), (parts) => {
      const text = `1${parts.join('')}`
      assert.equal(comparePep440(text, text) === 0, pattern.test(text), text)
    }),
    { numRuns: 5000 },
  )
})

testLaws(
  comparePep440,
  ['0', '1', '1.2', '1!2', 'v1', '1.0', '10'],
  [
    '.',
    '.0',
    '.1',
    'a1',
    'rc',
    'rc1',
    '.post1',
    '-1',
    '.dev',
    '.dev2',
    '+local',
    '+1',
    '+a.1',
    '!',
    '0',
    '_',
    'preview',
    'r',
    'c3',
    'post',
    '.A',
  ],
)
testSharedVectors(comparePep440, 'pypi-versions.txt', 37, 11, (version) => !pattern.test(version))
testSharedVectors(comparePep440, 'pypi-versions-generated.txt', 12_375, 69, (version) => !pattern.test(version))
