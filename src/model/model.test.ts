import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { actions, granted, isAdmin, may, mayList, principalId, type Action, type Grant, type Principal } from './access.ts'
import { digestAlgorithm, digestHex, digestOf, parseDigest, shortDigest } from './digest.ts'
import { parseImageReference } from './reference.ts'

const sha256 = `sha256:${'0123456789abcdef'.repeat(4)}`
const sha512 = `sha512:${'0123456789abcdef'.repeat(8)}`

describe('digests', () => {
  test('the two algorithms that can be checked', () => {
    for (const text of [sha256, sha512]) assert.equal(parseDigest(text), text)
    const digest = parseDigest(sha512)
    assert.ok(digest !== undefined)
    assert.deepEqual([digestAlgorithm(digest), digestHex(digest).length, shortDigest(digest)], ['sha512', 128, 'sha512:0123456789ab'])
  })

  test('anything else is none', () => {
    const wrong: unknown[] = [
      '',
      'sha256:',
      sha256.slice(0, -1),
      `${sha256}0`,
      sha256.toUpperCase(),
      `${sha256}\n`,
      ` ${sha256}`,
      sha256.replace('0', 'g'),
      `sha1:${'0'.repeat(40)}`,
      `md5:${'0'.repeat(32)}`,
    ]
    wrong.push(
      sha256.replace('sha256', 'sha512'),
      sha512.replace('sha512', 'sha256'),
      'sha256:../../etc/passwd',
      `sha256+b64:${'a'.repeat(64)}`,
      'x'.repeat(1e6),
      null,
      undefined,
      7,
      {},
      [sha256],
    )
    for (const text of wrong) assert.equal(parseDigest(text), undefined, String(text).slice(0, 100))
    fc.assert(fc.property(fc.string(), (text) => parseDigest(text) === undefined))
  })

  test('from hex, or a TypeError', () => {
    assert.equal(digestOf('sha256', sha256.slice(7)), sha256)
    for (const hex of ['', 'ab', 'G'.repeat(64), '0'.repeat(128)]) assert.throws(() => digestOf('sha256', hex), TypeError)
  })
})

describe('image references', () => {
  test('as users write them', () => {
    assert.deepEqual(parseImageReference('shop/api'), { repository: 'shop/api', tag: 'latest' })
    assert.deepEqual(parseImageReference('shop/api:1.4.2'), { repository: 'shop/api', tag: '1.4.2' })
    assert.deepEqual(parseImageReference(`shop/api@${sha256}`), { repository: 'shop/api', digest: sha256 })
    assert.deepEqual(parseImageReference(`shop/api:1@${sha512}`), { repository: 'shop/api', digest: sha512 })
  })

  test('what is none', () => {
    for (const text of [
      '',
      ':1',
      '@',
      `@${sha256}`,
      'A',
      'a:',
      'a:b:c',
      'a@sha256:x',
      `a@${sha256}@${sha256}`,
      `a@${sha256}:1`,
      'localhost:5000/a',
      'a b',
      'a:\n',
      'x'.repeat(700),
    ]) {
      assert.equal(parseImageReference(text), undefined, text)
    }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '/', ':', '@', '.', '-', 'A', sha256) }), (text) => {
        const found = parseImageReference(text)
        assert.ok(found === undefined || text.startsWith(found.repository))
      }),
    )
  })
})

describe('access', () => {
  const all: Action[] = [...actions]
  const of = (...grants: Grant[]): Principal => ({ kind: 'user', name: 'bob', grants })
  const allowed = (principal: Principal, repository: string) => all.filter((action) => granted(principal, action, repository))

  test('each grant, and nothing more', () => {
    const table: [Action, Action[]][] = [
      ['pull', ['pull']],
      ['push', ['push']],
      ['delete', ['delete']],
      ['read-quarantined', ['pull', 'read-quarantined']],
      ['admin', ['pull', 'push', 'delete', 'admin']],
    ]
    for (const [action, wanted] of table) {
      assert.deepEqual(allowed(of({ action, pattern: action === 'admin' ? '' : 'shop/**' }), 'shop/api'), wanted, action)
      if (action !== 'admin') assert.deepEqual(allowed(of({ action, pattern: 'shop/**' }), 'web/api'), [], action)
    }
    assert.deepEqual(allowed(of(), 'shop/api'), [])
  })

  test('nobody passes the gate by rank', () => {
    assert.equal(granted(of({ action: 'admin', pattern: '' }), 'read-quarantined', 'shop/api'), false)
  })

  test('by token an action needs its grant and its scope', () => {
    const scope = new Map([['shop/api', new Set(['pull', 'push'])]])
    const principal = { ...of({ action: 'pull', pattern: 'shop/**' }), scope }
    assert.deepEqual(
      [may(principal, 'pull', 'shop/api'), may(principal, 'push', 'shop/api'), may(principal, 'pull', 'shop/web')],
      [true, false, false],
    )
    assert.equal(may({ ...principal, scope: new Map() }, 'pull', 'shop/api'), false)
  })

  test('the catalog: anonymous with something to see, others always, a token with its scope', () => {
    assert.equal(mayList(of()), true)
    assert.equal(mayList({ ...of(), kind: 'anonymous' }), false)
    assert.equal(mayList({ ...of({ action: 'pull', pattern: '**' }), kind: 'anonymous' }), true)
    assert.equal(mayList({ ...of(), scope: new Map() }), false)
    assert.equal(mayList({ ...of(), scope: new Map([['registry:catalog', new Set(['*'])]]) }), true)
  })

  test('names, and who is admin', () => {
    assert.deepEqual([principalId(of()), principalId({ kind: 'anonymous', name: 'x' })], ['user:bob', 'anonymous'])
    assert.deepEqual([isAdmin(of({ action: 'admin', pattern: '' })), isAdmin(of({ action: 'push', pattern: '**' }))], [true, false])
  })
})
