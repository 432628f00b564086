import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Finding, Severity } from '../model/advisory.ts'
import { severities } from '../model/advisory.ts'
import type { Digest } from '../model/digest.ts'
import { doubts, type ChildVerdict, type Decision, type Evidence, type Reason } from '../model/verdict.ts'
import { judge, judgeIndex } from './judge.ts'
import { policies, ruleIds, type Policy, type RuleEffect } from './policy.ts'

const { balanced, observe } = policies
const now = new Date('2027-01-15T12:00:00Z')
const digest = `sha256:${'a'.repeat(64)}` as Digest
const none: Evidence = {
  digest,
  kind: 'image',
  packages: [],
  findings: [],
  doubts: [],
  advisoryRevision: '1',
  advisoryDate: '2027-01-14T00:00:00Z',
  examinedAt: now.toISOString(),
}
const flaw: Finding = {
  id: 'CVE-2024-3094',
  ids: ['CVE-2024-3094', 'GHSA-x'],
  ecosystem: 'Debian:12',
  packageName: 'xz-utils',
  packageVersion: '5.6.0',
  severity: 'low',
  knownExploited: false,
  malicious: false,
  sources: [],
  state: 'affected',
}
const pkg = {
  kind: 'deb',
  name: 'xz-utils',
  version: '5.6.0',
  purl: 'pkg:deb/debian/xz-utils@5.6.0',
  location: 'var/lib/dpkg/status',
  layer: 'l',
} as const

describe('each rule', () => {
  const findings: [string, Partial<Finding>, string | undefined, Decision][] = [
    ['malicious', { malicious: true }, 'malicious-package', 'deny'],
    [
      'malicious, whatever else',
      { malicious: true, knownExploited: true, severity: 'critical', fixedVersion: '9' },
      'malicious-package',
      'deny',
    ],
    ['known exploited', { knownExploited: true }, 'known-exploited', 'deny'],
    ['known exploited needs no severity and no fix', { knownExploited: true, severity: 'unknown' }, 'known-exploited', 'deny'],
    ['critical with a fix', { severity: 'critical', fixedVersion: '5.6.1' }, 'critical-with-fix', 'deny'],
    ['critical without one', { severity: 'critical' }, 'critical-without-fix', 'warn'],
    ['high', { severity: 'high', fixedVersion: '9' }, undefined, 'allow'],
    ['of unknown severity', { severity: 'unknown', fixedVersion: '9' }, undefined, 'allow'],
    [
      'of a version that can not be compared: a doubt speaks of it',
      { severity: 'critical', fixedVersion: '9', state: 'unknown-version' },
      undefined,
      'allow',
    ],
  ]
  for (const [what, change, rule, decision] of findings) {
    test(`a finding that is ${what}`, () => {
      const verdict = judge({ ...none, findings: [{ ...flaw, ...change }] }, 1, balanced, now)
      assert.deepEqual([verdict.decision, verdict.reasons.map((reason) => reason.rule)], [decision, rule === undefined ? [] : [rule]])
    })
  }

  const words: Record<string, Decision> = {
    damaged: 'deny',
    unreadable: 'deny',
    unsupported: 'deny',
    'unsupported-component': 'allow',
    'unknown-version': 'allow',
    'no-packages': 'allow',
    stale: 'allow',
  }
  for (const doubt of doubts) {
    test(`the doubt ${doubt} is spoken of, and decided by the policy`, () => {
      const notes = [
        { doubt, detail: 'first of them' },
        { doubt, detail: 'second' },
      ]
      const verdict = judge({ ...none, doubts: notes }, 1, balanced, now)
      assert.deepEqual([verdict.decision, verdict.reasons.length, verdict.reasons[0]?.rule], [words[doubt], 1, doubt])
      assert.match(verdict.reasons[0]?.message ?? '', /first of them \(and 1 more\)/)
      assert.deepEqual(verdict.reasons[0]?.evidence['details'], ['first of them', 'second'])
      assert.notEqual(verdict.reasons[0]?.remedy, '')
    })
  }

  test('every rule of the policy is tried above or below', () => {
    const tried = new Set(['malicious-package', 'known-exploited', 'critical-with-fix', 'critical-without-fix', ...doubts])
    assert.deepEqual(
      ruleIds.filter((rule) => !tried.has(rule)),
      [],
    )
    assert.deepEqual(new Set(Object.keys(words)), new Set(doubts))
  })

  test('stale: where advisories judged something, from the day after the last', () => {
    const at = (advisoryDate: string, packages: Evidence['packages']) =>
      judge({ ...none, advisoryDate, packages }, 1, balanced, now).reasons.map((reason) => reason.rule)
    assert.deepEqual(at('2026-12-16T12:00:00Z', [pkg]), [])
    assert.deepEqual(at('2026-12-15T12:00:00Z', [pkg]), ['stale'])
    assert.deepEqual(at('2026-12-15T12:00:00Z', []), [])
    assert.deepEqual(at('no date', [pkg]), ['stale'])
  })
})

describe('the verdict', () => {
  test('nothing against it: allow, with what it was made from', () => {
    assert.deepEqual(judge(none, 7, balanced, now), {
      decision: 'allow',
      policy: 'balanced',
      policyRevision: balanced.revision,
      evidenceRevision: 7,
      judgedAt: now.toISOString(),
      reasons: [],
    })
  })

  test('the words say what, where and what to do', () => {
    const [reason] = judge({ ...none, findings: [{ ...flaw, knownExploited: true, fixedVersion: '5.6.1' }] }, 1, balanced, now).reasons
    assert.equal(reason?.message, 'CVE-2024-3094 in xz-utils 5.6.0 (known exploited), fixed in 5.6.1')
    assert.equal(reason.remedy, 'Update xz-utils from 5.6.0 to 5.6.1 or later')
    assert.deepEqual(reason.evidence['ids'], ['CVE-2024-3094', 'GHSA-x'])
  })

  test('reasons: what denies first, malicious before exploited before critical, then by severity', () => {
    const findings = [
      { ...flaw, id: 'warned', severity: 'critical' as const },
      { ...flaw, id: 'critical', severity: 'critical' as const, fixedVersion: '9' },
      { ...flaw, id: 'exploited-low', severity: 'low' as const, knownExploited: true },
      { ...flaw, id: 'exploited-high', severity: 'high' as const, knownExploited: true },
      { ...flaw, id: 'malicious', malicious: true },
    ]
    const notes = [
      { doubt: 'no-packages' as const, detail: 'n' },
      { doubt: 'unreadable' as const, detail: 'u' },
    ]
    const { reasons } = judge({ ...none, findings, doubts: notes }, 1, balanced, now)
    assert.deepEqual(
      reasons.map((reason) => reason.evidence['id'] ?? reason.rule),
      ['malicious', 'exploited-high', 'exploited-low', 'critical', 'unreadable', 'warned', 'no-packages'],
    )
  })

  test('of ten thousand reasons fifty are kept, and what denies is among them', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => ({ ...flaw, id: `CVE-${at}`, severity: 'critical' as const }))
    const verdict = judge({ ...none, findings: [...many, { ...flaw, id: 'last', malicious: true }] }, 1, balanced, now)
    assert.deepEqual([verdict.decision, verdict.reasons.length, verdict.reasons[0]?.evidence['id']], ['deny', 50, 'last'])
  })

  test('it is the worst word of all rules that apply, and no other evidence changes it', () => {
    const effect = fc.constantFrom<RuleEffect>('deny', 'warn', 'allow')
    const effects = fc.record(Object.fromEntries(ruleIds.map((rule) => [rule, effect])) as Record<string, typeof effect>)
    fc.assert(
      fc.property(fc.array(anyFinding()), fc.array(anyDoubt()), effects, fc.boolean(), (findings, notes, of, enforcing) => {
        const policy = { ...balanced, enforcing, effects: of } as Policy
        const verdict = judge({ ...none, findings, doubts: notes }, 1, policy, now)
        const said = verdict.reasons.map((reason) => policy.effects[reason.rule as keyof Policy['effects']])
        assert.deepEqual(
          verdict.reasons.map((reason) => reason.effect),
          said,
        )
        assert.equal(verdict.decision, said.includes('deny') ? 'deny' : said.includes('warn') ? 'warn' : 'allow')
        assert.deepEqual(judge({ ...none, findings, doubts: notes }, 1, policy, now), verdict)
        if (notes.some((note) => of[note.doubt] === 'deny')) assert.equal(verdict.decision, 'deny')
        if (findings.some((finding) => finding.malicious && finding.state === 'affected') && of['malicious-package'] === 'deny')
          assert.equal(verdict.decision, 'deny')
      }),
    )
  })

  test('observe judges and shows, and never denies', () => {
    fc.assert(
      fc.property(fc.array(anyFinding()), fc.array(anyDoubt()), (findings, notes) => {
        const [shown, held] = [
          judge({ ...none, findings, doubts: notes }, 1, observe, now),
          judge({ ...none, findings, doubts: notes }, 1, balanced, now),
        ]
        assert.notEqual(shown.decision, 'deny')
        assert.equal(shown.reasons.length, held.reasons.length)
        if (held.decision === 'deny') assert.equal(shown.decision, 'warn')
      }),
    )
    assert.ok(!Object.values(observe.effects).includes('deny'))
  })

  test('a doubt that nobody knows is an error, never an allow', () => {
    const strange = [{ doubt: 'from-a-later-version', detail: 'x' }] as unknown as Evidence['doubts']
    assert.throws(() => judge({ ...none, doubts: strange }, 1, balanced, now))
  })

  test('a rule that a policy says nothing of denies', () => {
    const { unreadable: _, ...effects } = balanced.effects
    const verdict = judge(
      {
        ...none,
        doubts: [
          { doubt: 'no-packages', detail: 'n' },
          { doubt: 'unreadable', detail: 'u' },
        ],
      },
      1,
      { ...balanced, effects } as Policy,
      now,
    )
    assert.deepEqual([verdict.decision, verdict.reasons[0]?.rule], ['deny', 'unreadable'])
  })

  test("a policy's revision changes with any word of it", () => {
    assert.notEqual(balanced.revision, observe.revision)
    assert.match(balanced.revision, /^[0-9a-f]{16}$/)
  })
})

describe('an index', () => {
  const reason: Reason = { rule: 'unreadable', effect: 'deny', severity: 'unknown', message: 'm', remedy: 'r', evidence: { a: 1 } }
  const child = (decision: Decision, at = 0, reasons: Reason[] = []): ChildVerdict & { reasons: Reason[] } => ({
    digest: `sha256:${String(at).repeat(64).slice(0, 64)}` as Digest,
    platform: `linux/${at}`,
    decision,
    reasons,
  })
  const decide = (decisions: Decision[], policy = balanced) =>
    judgeIndex(
      decisions.map((decision, at) => child(decision, at)),
      policy,
      now,
    ).decision

  test('allowed where one is; pending until one is, or all are known; denied where all are', () => {
    const table: [Decision[], Decision][] = [
      [['allow'], 'allow'],
      [['deny', 'allow'], 'allow'],
      [['pending', 'allow'], 'allow'],
      [['warn', 'allow'], 'allow'],
      [['deny', 'warn'], 'warn'],
      [['pending', 'warn'], 'warn'],
      [['pending'], 'pending'],
      [['deny', 'pending'], 'pending'],
      [['deny'], 'deny'],
      [['deny', 'deny'], 'deny'],
      [[], 'deny'],
    ]
    for (const [decisions, wanted] of table) {
      assert.equal(decide(decisions), wanted, decisions.join())
      assert.equal(decide(decisions.toReversed()), wanted, decisions.join())
    }
  })

  test('without an allowed child it is never allowed; under observe never denied', () => {
    const decisions = fc.array(fc.constantFrom<Decision>('allow', 'warn', 'deny', 'pending'), { maxLength: 8 })
    fc.assert(
      fc.property(decisions, (some) => {
        assert.equal(decide(some) === 'allow', some.includes('allow'))
        assert.notEqual(decide(some, observe), 'deny')
      }),
    )
  })

  test('reasons are those of the children, each once, with their platforms; without any, one of its own', () => {
    const held = judgeIndex([child('deny', 1, [reason]), child('deny', 2, [reason, { ...reason, message: 'other' }])], balanced, now)
    assert.deepEqual(
      held.reasons.map((one) => [one.message, one.evidence]),
      [
        ['m', { a: 1, platforms: ['linux/1', 'linux/2'] }],
        ['other', { a: 1, platforms: ['linux/2'] }],
      ],
    )
    assert.equal(judgeIndex([], balanced, now).reasons[0]?.message, 'the index lists no image')
    assert.equal(judgeIndex([child('deny')], balanced, now).reasons[0]?.message, 'none of its images is here')
    assert.deepEqual(judgeIndex([child('allow', 1, [reason])], balanced, now).reasons, [])
    const shown = { ...reason, message: 'shown', effect: 'allow' as const }
    assert.deepEqual(
      judgeIndex([child('deny', 1, [shown, reason])], balanced, now).reasons.map((one) => one.message),
      ['m'],
    )
  })
})

function anyFinding(): fc.Arbitrary<Finding> {
  return fc
    .record({
      severity: fc.constantFrom<Severity>(...severities),
      fixedVersion: fc.option(fc.string(), { nil: undefined }),
      knownExploited: fc.boolean(),
      malicious: fc.boolean(),
      state: fc.constantFrom<Finding['state']>('affected', 'unknown-version'),
      packageName: fc.string(),
    })
    .map(({ fixedVersion, ...rest }) => ({ ...flaw, ...rest, ...(fixedVersion === undefined ? {} : { fixedVersion }) }))
}

function anyDoubt(): fc.Arbitrary<Evidence['doubts'][number]> {
  return fc.record({ doubt: fc.constantFrom(...doubts), detail: fc.string() })
}

test("a reason tells the distribution's word, how likely the flaw is to be exploited, and why it is as grave as that", () => {
  const epss = { id: 'CVE-2024-3094', probability: 0.84, percentile: 0.99, date: '2026-08-16T00:00:00Z' }
  const finding: Finding = { ...flaw, severity: 'critical', word: 'will-not-fix', epss, severityReason: 'the word of the record' }
  const [reason] = judge({ ...none, findings: [finding] }, 1, balanced, now).reasons
  assert.equal(reason?.message, 'CVE-2024-3094 in xz-utils 5.6.0 (critical), no fix (will not fix, says the distribution)')
  assert.deepEqual(
    [reason.evidence['word'], reason.evidence['epss'], reason.evidence['severityReason']],
    ['will-not-fix', epss, 'the word of the record'],
  )
  const [plain] = judge({ ...none, findings: [{ ...flaw, severity: 'critical' }] }, 1, balanced, now).reasons
  assert.match(plain?.message ?? '', /no fix yet$/)
  assert.equal(Object.keys(plain?.evidence ?? {}).includes('epss'), false)
})
