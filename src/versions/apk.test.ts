import { compareApk } from './apk.ts'
import { test } from 'node:test'
import { assertVectors, parseVectors, testLaws, testSharedVectors } from './vectors.testing.ts'

test('apk: numbers, letters, suffixes, hashes, revisions', () => {
  assertVectors(
    compareApk,
    parseVectors(`
    1.2.3 < 1.2.4
    1.9 < 1.10
    1.2 < 1.2.0
    1.2.3-r9 < 1.2.3-r10
    1.2.3 < 1.2.3-r0
    1.1a < 1.1b
    1.1 < 1.1a
    1.1a < 1.1.1
    # a pre-release comes before its release, a patch after it
    1.0_alpha < 1.0_beta
    1.0_beta < 1.0_pre
    1.0_pre < 1.0_rc
    1.0_rc9 < 1.0
    1.0 < 1.0_cvs
    1.0_cvs < 1.0_svn
    1.0_svn < 1.0_git
    1.0_git < 1.0_hg
    1.0_hg < 1.0_p
    1.0_p9-r0 < 1.0_p10-r0
    1.0_alpha_pre2 < 1.0_alpha
    1.0_rc1-r5 < 1.0-r0
    # hashes
    1.0~1234 < 1.0~2345
    1.0~1234-r1 > 1.0~1234-r0
    1.0 < 1.0~0
    # a leading zero after the first number makes a fraction, before it does not
    1.06 < 1.1
    1.010 < 1.9
    8.2.0015 < 8.2.002
    006 > 1.0.0
    007 = 7
    # larger than 2^64
    1.99999999999999999998 < 1.99999999999999999999
  `),
  )
})

test('apk: forms that only apk-tools 2 took, and real packages have', () => {
  assertVectors(
    compareApk,
    parseVectors(`
    6.6.2p1-r0 < 6.6.2p1-r2
    6.6.2p1 > 6.6.2_p1
    1.9.4p2-r1 < 1.9.5-r1
    1.9.5-r1 < 1.9.5p2-r0
    10.2.22.r0 < 10.2.24.r0
    10.2.24.r0 < 10.2.24-r0
  `),
  )
})

test('apk: what is no version is unknown', () => {
  const refused = [
    '.1',
    'a',
    '_pre1',
    '-r1',
    '0.1bc',
    '0.1_pre2~',
    '0.1_pre2~1234xbcd',
    '0.1_pre2~1234abcd_pre1',
    '0.1_pre2-r1~1234xbcd',
    '0.1_foobar',
    '0.1-pre1.1',
    '0.1-r',
    '0.1-r2_pre1',
    '0.1-r2-r3',
    '0.1-r2.1',
    '0.1_',
    '0.1_-r0',
    '0.1__alpha',
    '0.1_1_alpha',
    '1.2.3 ',
    '1:2.3',
    '1.2+b',
    'v1.2',
    '1.2A',
    '1~AB',
    '1.0_prefix',
    '',
  ]
  assertVectors(
    compareApk,
    refused.map((a) => ({ a, b: '1.2.3-r0', expected: 'unknown' as const })),
  )
  assertVectors(
    compareApk,
    refused.map((a) => ({ a, b: a, expected: 'unknown' as const })),
  )
})

testLaws(
  compareApk,
  ['0', '1', '10', '01', '1.2', '007'],
  [
    '.0',
    '.1',
    '.01',
    '.10',
    '.001',
    '.',
    'a',
    'p1',
    'b',
    '_alpha',
    '_rc1',
    '_pre',
    '_p',
    '_p2',
    '_git2024',
    '~ab',
    '~0',
    '-r0',
    '-r12',
    '1',
    '-',
  ],
)

// apk-tools' own test data marks most of these as invalid; what `apk version -t` makes of them changed from 2.14 to 3.
const refusedByApk = new Set([
  '1-r',
  '1-r-0',
  '1-r-1',
  '1-r-2',
  '1-r0-1',
  '1-r0-2',
  '1-ruff',
  '1-ruff1',
  '1-ruff2',
  '1--ruff1',
  '1-r0-ruff1',
  '1-r0-ruff2',
  '1.2.0A',
  '1.2.0D',
  '1.2_blah',
  '1.2_csv2',
  '.1',
  '.2',
  'a',
  'b',
  'c',
  '23_foo',
  '1.0bc',
])
testSharedVectors(compareApk, 'alpine-versions.txt', 778, 23, (version) => refusedByApk.has(version))
testSharedVectors(compareApk, 'alpine-versions-generated.txt', 13_979, 0, () => false)
