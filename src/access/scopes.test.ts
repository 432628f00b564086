import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { granted, type Principal } from '../model/access.ts'
import { allowedAccess, parseScopes, scopeMap } from './scopes.ts'

const refusals = new Set(['INPUT_INVALID', 'NAME_INVALID', 'LIMIT_EXCEEDED'])

test('scopes in all their forms', () => {
  assert.deepEqual(parseScopes([]), [])
  assert.deepEqual(parseScopes(['', '  ']), [])
  assert.deepEqual(parseScopes(['repository:a/b:pull,push repository:c:pull', 'repository:a/b:delete', 'registry:catalog:*']), [
    { type: 'repository', name: 'a/b', actions: ['pull', 'push', 'delete'] },
    { type: 'repository', name: 'c', actions: ['pull'] },
    { type: 'registry', name: 'catalog', actions: ['*'] },
  ])
  assert.deepEqual(parseScopes(['repository(plugin):a:pull']), [{ type: 'repository', name: 'a', actions: ['pull'] }])
  assert.deepEqual(parseScopes(['repository:a:*']), [{ type: 'repository', name: 'a', actions: ['pull', 'push', 'delete'] }])
})

test('kinds and actions that we do not have are left out', () => {
  assert.deepEqual(parseScopes(['registry:other:*', 'registry:catalog:pull', 'artifact:a:pull', 'other(class):A B:x'.replace(' ', '')]), [])
  assert.deepEqual(parseScopes(['repository:a:metadata,pull,admin,read-quarantined']), [
    { type: 'repository', name: 'a', actions: ['pull'] },
  ])
  assert.deepEqual(parseScopes(['repository:a:']), [{ type: 'repository', name: 'a', actions: [] }])
})

test('malformed scopes and names with odd characters are refused by name', () => {
  for (const scope of [
    'repository',
    'repository:a',
    ':a:pull',
    'REPOSITORY:a:pull',
    'repository:a:pull%',
    'repository:a\tb:pull',
    'repository:a:pull\n',
    'repository(:a:pull',
    '\0',
  ]) {
    assert.throws(() => parseScopes([scope]), { code: 'INPUT_INVALID' }, JSON.stringify(scope))
  }
  for (const name of [
    '',
    'A',
    'a//b',
    '/a',
    'a/',
    '../a',
    'a/../b',
    'a%2fb',
    'a*',
    '**',
    'localhost:5000/a',
    'a:b',
    'á',
    'a\u200b',
    "a'--",
    'x'.repeat(256),
  ]) {
    assert.throws(() => parseScopes([`repository:${name}:pull`]), { code: 'NAME_INVALID' }, name)
  }
})

test('1,000 scopes, and long ones, are refused at once', () => {
  const many = Array.from({ length: 1000 }, (_, at) => `repository:a${at}:pull`)
  assert.throws(() => parseScopes(many), { code: 'LIMIT_EXCEEDED' })
  assert.throws(() => parseScopes([many.join(' ')]), { code: 'LIMIT_EXCEEDED' })
  assert.throws(() => parseScopes(Array.from({ length: 65 }, () => 'repository:a:pull')), /65 scopes, more than 64/)
  assert.throws(() => parseScopes([`repository:${':'.repeat(1_000_000)}`]), { code: 'LIMIT_EXCEEDED' })
  assert.throws(() => parseScopes([`repository:${'a:'.repeat(2000)}%`]), { code: 'INPUT_INVALID' })
})

test('only what the grants allow gets in; read-quarantined and admin never do', () => {
  const principal: Principal = {
    kind: 'user',
    name: 'bob',
    grants: [
      { action: 'pull', pattern: 'shop/**' },
      { action: 'push', pattern: 'shop/api' },
      { action: 'read-quarantined', pattern: 'held/*' },
    ],
  }
  assert.deepEqual(
    allowedAccess(
      principal,
      parseScopes([
        'repository:shop/api:*',
        'repository:shop/web:push',
        'repository:other:pull',
        'repository:held/a:*,read-quarantined',
        'registry:catalog:*',
      ]),
    ),
    [
      { type: 'repository', name: 'shop/api', actions: ['pull', 'push'] },
      { type: 'repository', name: 'held/a', actions: ['pull'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
    ],
  )
  assert.deepEqual(
    allowedAccess({ ...principal, kind: 'anonymous', grants: [] }, parseScopes(['registry:catalog:*', 'repository:shop/api:pull'])),
    [],
  )
})

test('no text yields more than the grants, or a name that is none', () => {
  const principal: Principal = {
    kind: 'user',
    name: 'bob',
    grants: [
      { action: 'pull', pattern: 'a/**' },
      { action: 'push', pattern: 'a/b' },
    ],
  }
  const part = fc.constantFrom(
    'repository',
    'registry',
    'catalog',
    '(x)',
    ':',
    ',',
    ' ',
    'a',
    'a/b',
    'a/c',
    'b',
    '*',
    'pull',
    'push',
    'delete',
    '/',
    '..',
    'é',
  )
  let given = 0
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.array(part, { maxLength: 12 }).map((parts) => parts.join('')),
          fc.string(),
          fc
            .tuple(fc.constantFrom('a', 'a/b', 'b'), fc.constantFrom('pull', 'push,pull', '*'))
            .map(([name, actions]) => `repository:${name}:${actions}`),
        ),
      ),
      (texts) => {
        const access = parsed(texts)
        if (access === undefined) return
        for (const [key, actions] of scopeMap(allowedAccess(principal, access))) {
          if (key === 'registry:catalog') continue
          for (const action of actions) {
            given++
            assert.ok(granted(principal, action as 'pull', key), `${action} on ${key}`)
          }
        }
      },
    ),
    { numRuns: 2000 },
  )
  assert.ok(given > 100, `only ${given} given`)
})

function parsed(texts: string[]): ReturnType<typeof parseScopes> | undefined {
  try {
    return parseScopes(texts)
  } catch (error) {
    assert.ok(refusals.has((error as { code: string }).code), String(error))
    return undefined
  }
}
