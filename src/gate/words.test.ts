import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Digest } from '../model/digest.ts'
import type { Reason } from '../model/verdict.ts'
import { cacheLine, heldLine, mostLineCharacters, mostWarningCharacters, pendingLine, unheldLine, warningOf } from './words.ts'

const digest = `sha256:1f2e3d4c5b6a${'0'.repeat(52)}` as Digest
const long = digest.replace('sha256', 'sha512').padEnd(135, '0') as Digest
const reason = (message: string, effect: Reason['effect'] = 'deny'): Reason => ({
  rule: 'known-exploited',
  effect,
  severity: 'critical',
  message,
  remedy: 'r',
  evidence: {},
})
const xz = reason('CVE-2024-3094 in xz-utils 5.6.0 (known exploited), fixed in 5.6.1')

test('as the design has it', () => {
  const line = heldLine({ repository: 'shop/api', digest, reasons: [xz], alternative: 'shop/api:1.4.2' })
  assert.equal(
    line,
    'lazaret: shop/api@sha256:1f2e3d4c5b6a is held: CVE-2024-3094 in xz-utils 5.6.0 (known exploited), fixed in 5.6.1. Use shop/api:1.4.2.',
  )
  assert.equal(
    heldLine({ repository: 'shop/api', digest, reasons: [xz, xz], tellsGrant: true }),
    'lazaret: shop/api@sha256:1f2e3d4c5b6a is held: CVE-2024-3094 in xz-utils 5.6.0 (known exploited), fixed in 5.6.1 (and 1 more). To work on it: grant read-quarantined.',
  )
  assert.match(
    heldLine({ repository: 'a', digest, reasons: [] }),
    /is held: no reason is on record\. See: lazaret why a@sha256:1f2e3d4c5b6a$/,
  )
  assert.equal(
    heldLine({ repository: 'a', digest, reasons: [], tellsGrant: true }),
    'lazaret: a@sha256:1f2e3d4c5b6a is held: no reason is on record. See: lazaret why a@sha256:1f2e3d4c5b6a. To work on it: grant read-quarantined.',
  )
  assert.equal(pendingLine('shop/api', digest, false), 'lazaret: shop/api@sha256:1f2e3d4c5b6a is being examined, try again')
  assert.equal(
    warningOf([xz, reason(xz.message, 'warn')]),
    '299 - "lazaret: CVE-2024-3094 in xz-utils 5.6.0 (known exploited), fixed in 5.6.1"',
  )
  for (const reasons of [[], [xz], [reason('fine', 'allow')]]) assert.equal(warningOf(reasons), undefined)
})

test('only what denies is the cause, and is counted', () => {
  const reasons = [reason('shown only', 'allow'), reason('warned of', 'warn'), xz]
  assert.match(
    heldLine({ repository: 'a', digest, reasons }),
    /is held: CVE-2024-3094 in xz-utils 5\.6\.0 \(known exploited\), fixed in 5\.6\.1\. See/,
  )
  assert.match(heldLine({ repository: 'a', digest, reasons: reasons.slice(0, 2) }), /is held: no reason is on record/)
})

test('with the longest names the cause still comes', () => {
  const repository = `${'team/'.repeat(48)}end-of-name`.slice(0, 255)
  for (const tellsGrant of [false, true]) {
    for (const some of [digest, long]) {
      const line = heldLine({ repository, digest: some, reasons: [xz, xz], alternative: `${repository}:${'x'.repeat(128)}`, tellsGrant })
      assert.match(line, /is held: CVE-2024-3094 in/)
      assert.match(line, /^lazaret: \.\.\..*end-of-name@sha/)
      assert.ok(!line.includes('Use '), 'a reference is whole, or left out')
      if (tellsGrant) assert.match(line, / To work on it: grant read-quarantined\.$/)
      assert.match(pendingLine(repository, some, tellsGrant), /is being examined, try again/)
    }
  }
})

test('whatever names and packages say, it is one ASCII line of at most 200 characters, with the cause first', () => {
  const name = fc
    .array(fc.constantFrom('a', 'team', 'x-y', '0'), { minLength: 1, maxLength: 80 })
    .map((parts) => parts.join('/').slice(0, 255))
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.string({ maxLength: 60 }),
    fc.constant('\r\nSet-Cookie: a=b'),
    fc.constant('…'.repeat(200)),
  )
  const options = fc.record({
    alternative: fc.option(
      name.map((some) => `${some}:tag`),
      { nil: undefined },
    ),
    tellsGrant: fc.boolean(),
  })
  fc.assert(
    fc.property(
      name,
      fc.array(text, { maxLength: 3 }),
      options,
      fc.constantFrom(digest, long),
      (repository, messages, { alternative, tellsGrant }, of) => {
        const held = {
          repository,
          digest: of,
          reasons: messages.map((message) => reason(message)),
          tellsGrant,
          ...(alternative === undefined ? {} : { alternative }),
        }
        const line = heldLine(held)
        assertLine(line)
        const begin = Array.from(messages[0] ?? 'no reason')
          .slice(0, 8)
          .join('')
        if (/^[\x21-\x7e]{8}/.test(begin) && !begin.includes('.'))
          assert.ok(line.includes(` is held: ${begin.slice(0, 8)}`) || line.includes(' is held: ...'), line)
        for (const other of [pendingLine(repository, of, tellsGrant), cacheLine(repository), unheldLine(repository, of)]) assertLine(other)
      },
    ),
    { numRuns: 1000 },
  )
})

test('a warning is of at most 120 characters, quoted once', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (message) => {
      const warning = warningOf([reason(message, 'warn')]) ?? ''
      assert.ok(warning.length <= mostWarningCharacters, warning)
      assert.match(warning, /^299 - "[\x20-\x21\x23-\x5b\x5d-\x7e]*"$/)
    }),
  )
})

function assertLine(line: string): void {
  assert.ok(line.length <= mostLineCharacters, `${line.length}: ${line}`)
  assert.match(line, /^lazaret: [\x20-\x7e]+$/)
}
