import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SeverityClaim } from '../model/advisory.ts'
import { firstScore, scoreOf, severityOfScore } from './cvss.ts'

const v2 = (value: string): SeverityClaim => ({ type: 'CVSS_V2', value })
const v3 = (value: string): SeverityClaim => ({ type: 'CVSS_V3', value })
const v4 = (value: string): SeverityClaim => ({ type: 'CVSS_V4', value })
const label = (value: string): SeverityClaim => ({ type: 'label', value })

test('cvss: examples of FIRST', () => {
  const examples: [SeverityClaim, number][] = [
    // first.org/cvss/v3.0/examples and v3.1/examples
    [v3('CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N'), 5.4],
    [v3('CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N'), 6.1],
    [v3('CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N'), 3.1],
    [v3('CVSS:3.0/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N'), 6.4],
    [v3('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N'), 7.5],
    [v3('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'), 9.8],
    [v3('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:N/I:H/A:N'), 8.6],
    [v3('CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:L/I:L/A:L'), 4.2],
    [v3('CVSS:3.1/AV:P/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'), 6.8],
    [v3('CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H'), 9.9],
    // first.org/cvss/v4.0/examples
    [v4('CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N'), 7.3],
    [v4('CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N'), 7.7],
    [v4('CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N'), 8.3],
    [v4('CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H'), 10],
    [v4('CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N'), 9.3],
    [v4('CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N'), 5.1],
    // first.org/cvss/v2/guide, section 3.3
    [v2('AV:N/AC:L/Au:N/C:N/I:N/A:C'), 7.8],
    [v2('AV:N/AC:L/Au:N/C:C/I:C/A:C'), 10],
    [v2('AV:L/AC:H/Au:N/C:C/I:C/A:C'), 6.2],
  ]
  for (const [claim, score] of examples) assert.deepEqual(scoreOf([claim]), { severity: severityOfScore(score), score }, claim.value)
})

test('cvss: the base score counts, whatever threat or environment a vector adds', () => {
  assert.equal(scoreOf([v4('CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/E:U')]).score, 9.3)
  assert.equal(scoreOf([v3('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U/RL:O/RC:U/MAV:P')]).score, 9.8)
})

test('cvss: the bounds of the words', () => {
  assert.deepEqual([0, 0.1, 3.9, 4, 6.9, 7, 8.9, 9, 10].map(severityOfScore), [
    'none',
    'low',
    'low',
    'medium',
    'medium',
    'high',
    'high',
    'critical',
    'critical',
  ])
})

const low4 = v4('CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N')
const high3 = v3('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H')
const medium3 = v3('CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N')
const full2 = v2('AV:N/AC:L/Au:N/C:C/I:C/A:C')

test('severity: CVSS 4, then 3, then the word, then CVSS 2; the highest of each', () => {
  assert.equal(scoreOf([high3, low4, label('critical')]).severity, 'low')
  assert.deepEqual(scoreOf([medium3, label('low'), high3, full2]), { severity: 'critical', score: 9.8 })
  assert.deepEqual(scoreOf([label('low'), full2, label('HIGH')]), { severity: 'high' })
  assert.deepEqual(scoreOf([full2]), { severity: 'critical', score: 10 })
  assert.deepEqual(scoreOf([]), { severity: 'unknown' })
})

test('severity: the first standing that says anything decides, CVSS 2 last of all', () => {
  assert.deepEqual(firstScore([[label('low')], [high3]]), { severity: 'low' })
  assert.deepEqual(firstScore([[], [medium3], [high3]]), { severity: 'medium', score: 6.1 })
  assert.deepEqual(firstScore([[label('not yet assigned')], [full2], [label('low')]]), { severity: 'low' })
  assert.deepEqual(firstScore([[], [full2], []]), { severity: 'critical', score: 10 })
  assert.deepEqual(firstScore([]), { severity: 'unknown' })
})

test('severity: words in any case', () => {
  const words = {
    LOW: 'low',
    Moderate: 'medium',
    MEDIUM: 'medium',
    hIgH: 'high',
    IMPORTANT: 'high',
    CRITICAL: 'critical',
    negligible: 'low',
    Unimportant: 'low',
    MINIMAL: 'low',
    none: 'none',
  }
  for (const [word, severity] of Object.entries(words)) assert.deepEqual(scoreOf([label(word)]), { severity }, word)
  for (const word of ['', 'unknown', 'constructor', 'very high', 'x'.repeat(1_000_000)])
    assert.deepEqual(scoreOf([label(word)]), { severity: 'unknown' }, word.slice(0, 20))
})

test('cvss: a vector that is not valid is not counted', () => {
  const base = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'
  const refused = [
    v3(''),
    v3('9.8'),
    v3('CVSS:3.1'),
    v3('CVSS:3.1/'),
    v3(base.slice(0, -4)),
    v3(`${base}/AV:N`),
    v3(`${base}/XX:Y`),
    v3(base.replace('AV:N', 'AV:Q')),
    v3(base.replace('AV:N', 'AV:X')),
    v3(base.toLowerCase()),
    v3(base.replace('3.1', '3.2')),
    v3(base.replace('3.1', '4.0')),
    v3(` ${base}`),
    v3(`${base}/E:${'X'.repeat(300)}`),
    v3(base.replaceAll('/', '//')),
    v3(`${base}/`),
    v4(base),
    v3('CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N'),
    v4('CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N'),
    v2(base),
    v2('AV:N/AC:L/Au:N/C:C/I:C'),
    v2('CVSS:2.0/AV:N/AC:L/Au:N/C:N/I:N/A:C'),
  ]
  for (const claim of refused) assert.deepEqual(scoreOf([claim]), { severity: 'unknown' }, claim.value)
  assert.equal(scoreOf([v3(`${base}/AV:P`), medium3]).score, 6.1)
})

test('cvss: any text gets an answer, never a throw, and nothing is printed', (context) => {
  const prints = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) => context.mock.method(console, method, () => undefined))
  const pieces = [
    'CVSS:3.1',
    'CVSS:4.0',
    'AV:N',
    'AC:L',
    'AT:N',
    'PR:N',
    'UI:N',
    'S:U',
    'C:H',
    'I:H',
    'A:H',
    'VC:H',
    'VI:H',
    'VA:H',
    'SC:N',
    'SI:N',
    'SA:N',
    'E:X',
    'AV',
    ':',
    '',
    'MAV:',
    '__proto__:x',
    'constructor:y',
  ]
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 16 }).map((parts) => parts.join('/')),
    fc.string({ maxLength: 60 }),
  )
  const type = fc.constantFrom('CVSS_V2', 'CVSS_V3', 'CVSS_V4', 'label')
  fc.assert(
    fc.property(type, text, (kind, value) => {
      const { severity, score } = scoreOf([{ type: kind, value } as SeverityClaim])
      assert.ok(score === undefined || severity === severityOfScore(score))
    }),
    { numRuns: 2000 },
  )
  assert.deepEqual(
    prints.map((print) => print.mock.callCount()),
    [0, 0, 0, 0, 0],
  )
})
