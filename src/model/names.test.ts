import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRepositoryName, isRepositoryPattern, isTag, matchesPattern } from './names.ts'

test('repository names, by the grammar of the distribution-spec', () => {
  for (const name of ['a', '0', 'shop/api', 'a.b', 'a_b', 'a__b', 'a-b', 'a---b', 'a/b/c/d/e', 'a1/2b', 'x'.repeat(255)])
    assert.ok(isRepositoryName(name), name)
  const wrong = [
    '',
    'A',
    'shop/API',
    '/a',
    'a/',
    'a//b',
    '.a',
    'a.',
    'a..b',
    'a___b',
    '_a',
    '-a',
    'a-',
    'a_-b',
    'a b',
    'ä',
    'a:b',
    'a@b',
    'a\n',
    'a\0',
    '../a',
    'a/../b',
    'a%2fb',
    'x'.repeat(256),
  ]
  for (const name of wrong) assert.ok(!isRepositoryName(name), JSON.stringify(name))
})

test('tags', () => {
  for (const tag of ['latest', '1.0', '_x', 'A', 'a-b.c_d', 'x'.repeat(128)]) assert.ok(isTag(tag), tag)
  for (const tag of ['', '.a', '-a', 'a b', 'a/b', 'a:b', 'ä', 'a\n', 'x'.repeat(129), 'sha256:abc'])
    assert.ok(!isTag(tag), JSON.stringify(tag))
})

test('hostile names are judged at once', () => {
  const start = performance.now()
  for (const part of ['a', '-', '_', '__', 'a-', 'a_', 'a__', 'a/', 'a.', 'a--', '/']) {
    for (const end of ['', '!', '/', '_', '-', '\n']) isRepositoryName(`${part.repeat(255)}`.slice(0, 254) + end)
  }
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', '-', '_', '.', '/', '__', 'A'), { minLength: 200, maxLength: 255 }),
      (parts) => typeof isRepositoryName(parts.join('')) === 'boolean',
    ),
  )
  assert.ok(performance.now() - start < 2000)
})

test('patterns: a star within a segment, two for any number of segments', () => {
  const table: [string, string[], string[]][] = [
    ['shop/api', ['shop/api'], ['shop', 'shop/api/x', 'shop/apis', 'xshop/api']],
    ['*', ['shop', 'a'], ['shop/api']],
    ['**', ['shop', 'shop/api', 'a/b/c'], []],
    ['shop/*', ['shop/api', 'shop/a-b'], ['shop', 'shop/api/x', 'shops/api']],
    ['shop/**', ['shop', 'shop/api', 'shop/api/x'], ['shops', 'shopping/api', 'x/shop']],
    ['**/api', ['api', 'shop/api', 'a/b/api'], ['apis', 'api/x']],
    ['shop/**/api', ['shop/api', 'shop/x/api', 'shop/x/y/api'], ['shop', 'api', 'shop/x']],
    ['team-*/api', ['team-a/api', 'team-/api'], ['team/api', 'xteam-a/api']],
    ['*-x-*', ['a-x-b', '-x-'], ['a-x', 'x-b', 'a-xb']],
    ['a*b*c', ['abc', 'aXbYc', 'abcbc'], ['acb', 'ab', 'bc']],
    ['aa*aa', ['aaaa', 'aaXaa'], ['aaa', 'aa']],
    ['**/a/**/a', ['a/a', 'x/a/y/a', 'a/a/a'], ['a', 'a/x']],
  ]
  for (const [pattern, yes, no] of table) {
    for (const name of yes) assert.ok(matchesPattern(pattern, name), `${pattern} ${name}`)
    for (const name of no) assert.ok(!matchesPattern(pattern, name), `not ${pattern} ${name}`)
  }
})

test('a pattern says the same as the plain reading of it', () => {
  const segments = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba', 'aab'), { minLength: 1, maxLength: 6 })
  const patterns = fc.array(fc.constantFrom('a', 'b', '*', '**', 'a*', '*b', 'a*b', '**'), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(patterns, segments, (pattern, name) => {
      assert.equal(matchesPattern(pattern.join('/'), name.join('/')), plainly(pattern, name), `${pattern.join('/')} ${name.join('/')}`)
    }),
    { numRuns: 5000 },
  )
})

test('hostile patterns end at once', () => {
  const start = performance.now()
  const name = 'a/'.repeat(127) + 'a'
  for (const pattern of ['**/'.repeat(84) + 'x', '**/a/'.repeat(50) + 'x', `${'*a'.repeat(127)}x`, '**/*/'.repeat(50) + 'x']) {
    assert.equal(matchesPattern(pattern, name), false, pattern)
    assert.equal(matchesPattern(pattern, 'a'.repeat(255)), false, pattern)
  }
  assert.ok(matchesPattern('**/'.repeat(84) + 'a', name))
  assert.ok(performance.now() - start < 1000)
})

test('what a pattern may be', () => {
  for (const pattern of ['**', '*', 'shop/**', 'shop/*', 'a*b', '**/api', 'shop/api']) assert.ok(isRepositoryPattern(pattern), pattern)
  for (const pattern of ['', '***', 'a**', '**b', 'shop/', '/shop', 'a//b', 'A', 'a b', 'a,b', 'a=b', 'x'.repeat(256)])
    assert.ok(!isRepositoryPattern(pattern), pattern)
})

function plainly(pattern: string[], name: string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return name.length === 0
  if (first === '**') return plainly(rest, name) || (name.length > 0 && plainly(pattern, name.slice(1)))
  const [segment, ...others] = name
  return segment !== undefined && new RegExp(`^${first.replaceAll('*', '.*')}$`).test(segment) && plainly(rest, others)
}
