import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { granted } from './access.ts'
import { matchesPattern } from './names.ts'
import {
  bySpecificity,
  immutableBy,
  publicPatterns,
  readRepositoryRule,
  resolveSettings,
  type RepositoryRule,
} from './repository-settings.ts'

test('the most specific pattern wins, key by key', () => {
  const rules: RepositoryRule[] = [
    { match: '**', owner: 'platform', visibility: 'private', immutableTags: ['v*'] },
    { match: 'shop/**', owner: 'shop', labels: { tier: '1' } },
    { match: 'shop/*', environment: 'production' },
    { match: 'shop/api', contact: 'api@example', immutableTags: [] },
  ]
  const { values, from } = resolveSettings(rules, 'shop/api')
  assert.deepEqual(values, {
    contact: 'api@example',
    immutableTags: [],
    environment: 'production',
    owner: 'shop',
    labels: { tier: '1' },
    visibility: 'private',
  })
  assert.deepEqual(
    [from.owner, from.environment, from.contact, from.immutableTags, from.visibility],
    ['shop/**', 'shop/*', 'shop/api', 'shop/api', '**'],
  )
  assert.deepEqual(resolveSettings(rules, 'other').from, { owner: '**', visibility: '**', immutableTags: '**' })
  assert.deepEqual(resolveSettings([], 'other'), { values: {}, from: {} })
})

test('how specific: names before parts, parts before `*`, `*` before `**`', () => {
  const order = ['shop/api', 'shop/ap*', 'shop/*', 'shop/**', '*/*', '**']
  assert.deepEqual(
    order
      .toReversed()
      .map((match) => ({ match }))
      .toSorted(bySpecificity)
      .map(({ match }) => match),
    order,
  )
})

test('immutable tags by pattern', () => {
  assert.equal(immutableBy(['v*', 'release-*-final'], 'v1.2'), 'v*')
  assert.equal(immutableBy(['v*', 'release-*-final'], 'release-7-final'), 'release-*-final')
  assert.equal(immutableBy(['v*'], 'latest'), undefined)
  assert.equal(immutableBy(['*'], 'latest'), '*')
  assert.equal(immutableBy([], 'v1'), undefined)
  assert.equal(immutableBy(['1.0'], '1x0'), undefined, 'a dot is a dot')
})

const segment = fc.constantFrom('a', 'b', 'shop', '*', '**', 'a*')
const pattern = fc.array(segment, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const name = fc.array(fc.constantFrom('a', 'b', 'shop', 'ab'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))

test('public as grants is what each name resolves to', () => {
  const rules = fc.uniqueArray(fc.record({ match: pattern, visibility: fc.constantFrom('public' as const, 'private' as const) }), {
    selector: (rule) => rule.match,
    maxLength: 6,
  })
  fc.assert(
    fc.property(rules, name, (given, repository) => {
      const grants = publicPatterns(given).map((one) => ({ action: 'pull' as const, ...one }))
      const open = granted({ kind: 'anonymous', name: 'anonymous', grants }, 'pull', repository)
      assert.equal(open, resolveSettings(given, repository).values.visibility === 'public')
    }),
    { numRuns: 2000 },
  )
})

test('one order, whatever the order of the rules', () => {
  fc.assert(
    fc.property(fc.uniqueArray(pattern, { maxLength: 6 }), name, (patterns, repository) => {
      const rules = patterns.map((match) => ({ match, owner: match }))
      const found = resolveSettings(rules, repository).values.owner
      assert.equal(resolveSettings(rules.toReversed(), repository).values.owner, found)
      assert.equal(found === undefined, !patterns.some((one) => matchesPattern(one, repository)))
    }),
  )
})

test('a rule that is read is whole, and what is wrong is named', () => {
  const rule = {
    match: 'shop/**',
    owner: 'shop',
    contact: 'x',
    labels: { a: 'b' },
    environment: 'e',
    visibility: 'public',
    immutableTags: ['v*'],
  }
  assert.deepEqual(readRepositoryRule(rule), { rule })
  assert.deepEqual(readRepositoryRule({ match: 'a', immutableTags: 'v*' }), { rule: { match: 'a', immutableTags: ['v*'] } })
  for (const [raw, words] of [
    [undefined, /a map with match/],
    [[], /a map with match/],
    [{}, /match is a repository pattern/],
    [{ match: 'A B' }, /match is a repository pattern/],
    [{ match: 'a', owner: '' }, /owner is one line/],
    [{ match: 'a', owner: 'x\ny' }, /owner is one line/],
    [{ match: 'a', owner: 'x'.repeat(129) }, /owner is one line/],
    [{ match: 'a', visibility: 'open' }, /visibility is private or public/],
    [{ match: 'a', labels: { 'a b': 'c' } }, /labels are/],
    [{ match: 'a', labels: { a: 1 } }, /labels are/],
    [{ match: 'a', immutableTags: ['a/b'] }, /patterns of tags/],
    [{ match: 'a', immutableTags: Array(65).fill('v*') }, /patterns of tags/],
    [{ match: 'a', immutable: ['v*'] }, /not "immutable" \(a\)/],
  ] as const) {
    const read = readRepositoryRule(raw)
    assert.ok('problem' in read && words.test(read.problem), JSON.stringify([raw, read]))
  }
})

test('anything at all is read or refused, and what is read is read again alike', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.anything(),
        fc.record(
          { match: fc.constant('a/**'), owner: fc.anything(), labels: fc.anything(), immutableTags: fc.anything() },
          { requiredKeys: ['match'] },
        ),
      ),
      (raw) => {
        const read = readRepositoryRule(raw)
        if ('problem' in read) assert.ok(read.problem.length < 400)
        else assert.deepEqual(readRepositoryRule(JSON.parse(JSON.stringify(read.rule))), read)
      },
    ),
  )
})
