import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AffectedRange, RangeEvent, SeverityClaim } from '../model/advisory.ts'
import { decodeFacts, decodePackage, encodeFacts, encodePackage, mergePackage } from './rows.ts'

/** As JSON makes them. */
const plain = { noNullPrototype: true }
const text = fc.string({ minLength: 1, maxLength: 12 })
const event = fc.oneof(
  text.map((introduced): RangeEvent => ({ introduced })),
  text.map((fixed): RangeEvent => ({ fixed })),
  text.map((lastAffected): RangeEvent => ({ lastAffected })),
  text.map((limit): RangeEvent => ({ limit })),
)
const range = fc.record<AffectedRange>(
  { type: fc.constantFrom('SEMVER', 'ECOSYSTEM'), events: fc.array(event, { minLength: 1, maxLength: 4 }) },
  plain,
)
const claim = fc.record<SeverityClaim>({ type: fc.constantFrom('CVSS_V2', 'CVSS_V3', 'CVSS_V4', 'label'), value: text }, plain)
const facts = fc.oneof(
  fc.record({ ranges: fc.array(range, { maxLength: 3 }), versions: fc.array(text, { maxLength: 3 }) }, plain),
  fc.record(
    {
      ranges: fc.array(range, { maxLength: 3 }),
      versions: fc.array(text, { maxLength: 3 }),
      severity: fc.array(claim, { minLength: 1, maxLength: 2 }),
    },
    plain,
  ),
  fc.record(
    {
      ranges: fc.array(range, { maxLength: 3 }),
      versions: fc.array(text, { maxLength: 3 }),
      modules: fc.array(text, { maxLength: 2 }),
    },
    plain,
  ),
)

test('what is said of a package comes back as it was', () => {
  fc.assert(fc.property(facts, (said) => assert.deepEqual(decodePackage(encodePackage(said)), said)))
  assert.equal(
    encodePackage({ ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.2-3' }] }], versions: [] }),
    '<1.2-3',
  )
})

test('the facts of a record come back as they were', () => {
  fc.assert(
    fc.property(
      fc.record({ aliases: fc.array(text), upstream: fc.array(text), severity: fc.array(claim), packageSeverity: fc.array(claim) }, plain),
      (said) => assert.deepEqual(decodeFacts(encodeFacts(said)), said),
    ),
  )
  assert.equal(encodeFacts({ aliases: [], upstream: [], severity: [], packageSeverity: [] }), null)
})

test('two words on a package hold together, each once', () => {
  const below = (fixed: string): AffectedRange => ({ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] })
  const merged = mergePackage(
    { ranges: [below('1')], versions: ['a'] },
    { ranges: [below('1'), below('2')], versions: ['a', 'b'], severity: [{ type: 'label', value: 'low' }] },
  )
  assert.deepEqual(merged, { ranges: [below('1'), below('2')], versions: ['a', 'b'], severity: [{ type: 'label', value: 'low' }] })
})
