import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isRepositoryPattern } from '../model/names.ts'
import { formatGrant, parseGrants } from './grants.ts'

test('grants as people write them', () => {
  assert.deepEqual(parseGrants(['pull=shop/**', 'push=shop/api', 'delete=tmp/*', 'read-quarantined=**', 'admin', 'pull=shop/**']), [
    { action: 'pull', pattern: 'shop/**' },
    { action: 'push', pattern: 'shop/api' },
    { action: 'delete', pattern: 'tmp/*' },
    { action: 'read-quarantined', pattern: '**' },
    { action: 'admin', pattern: '' },
  ])
})

test('a bad one is named, with what is wrong', () => {
  const bad: [string, RegExp][] = [
    ['', /the action is one of/],
    ['pull', /a pattern is missing/],
    ['pull=', /pattern is not one of repository names/],
    ['pull=Shop/api', /pattern is not one of repository names/],
    ['pull=shop//api', /pattern is not one of repository names/],
    ['pull=a\0', /pattern is not one/],
    ['pull=shop/a**', /pattern is not one/],
    ['pull=**/a/**/b/**', /at most 2 times/],
    ['pull =shop', /the action is one of/],
    ['Pull=shop', /the action is one of/],
    ['write=shop', /"write=shop": the action is one of/],
    ['admin=**', /admin covers everything/],
    ['admin=', /admin covers everything/],
    ['__proto__=x', /the action is one of/],
    [`push=${'x'.repeat(300)}`, /pattern is not one/],
  ]
  for (const [text, why] of bad) assert.throws(() => parseGrants(['pull=ok', text]), { code: 'INPUT_INVALID', message: why }, text)
  assert.throws(() => parseGrants(Array.from({ length: 257 }, (_, at) => `pull=a/${at}`)), /at most 256/)
})

test('whatever is accepted is read back from what it is written as, and its pattern is one', () => {
  const text = fc.oneof(
    fc.string(),
    fc
      .tuple(
        fc.constantFrom('pull', 'push', 'delete', 'read-quarantined', 'admin'),
        fc.string({ unit: fc.constantFrom('a', '*', '/', '.', '-', '=') }),
      )
      .map(([action, pattern]) => `${action}=${pattern}`),
  )
  let accepted = 0
  fc.assert(
    fc.property(text, (given) => {
      const grants = attempt(() => parseGrants([given]))
      if (grants === undefined) return
      accepted++
      assert.deepEqual(grants.map(formatGrant), [given])
      assert.ok(grants.every((grant) => (grant.action === 'admin' ? grant.pattern === '' : isRepositoryPattern(grant.pattern))))
    }),
    { numRuns: 2000 },
  )
  assert.ok(accepted > 100, `only ${accepted} accepted`)
})

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, 'INPUT_INVALID')
    return undefined
  }
}
