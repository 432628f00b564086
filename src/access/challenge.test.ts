import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { challenge, realmFor } from './challenge.ts'

const path = '/token'

test('the challenge as clients read it', () => {
  assert.equal(
    challenge('https://r.example/token', 'r.example', 'repository:a:pull'),
    'Bearer realm="https://r.example/token",service="r.example",scope="repository:a:pull"',
  )
  assert.equal(challenge('https://r.example/token', 'r.example'), 'Bearer realm="https://r.example/token",service="r.example"')
  assert.equal(challenge('r', 's', undefined, 'invalid_token'), 'Bearer realm="r",service="s",error="invalid_token"')
  assert.equal(
    challenge('r', 's', 'a",realm="https://evil.example\\'),
    'Bearer realm="r",service="s",scope="a\\",realm=\\"https://evil.example\\\\"',
  )
})

test('no scope breaks out of its quotes or out of the header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (scope) => {
      const match = /^Bearer realm="r",service="s",scope="((?:[^"\\]|\\["\\])*)"$/.exec(challenge('r', 's', scope))
      assert.ok(match !== null && /^[\x20-\x7e]*$/.test(match[1] ?? ''))
    }),
  )
})

test('the realm is on the name that was asked, where it is ours', () => {
  const publicUrls = ['https://registry.example', 'http://10.0.0.5:5000']
  const realm = (hostHeader: string | undefined) => realmFor({ hostHeader, publicUrls, path })
  assert.equal(realm('registry.example'), 'https://registry.example/token')
  assert.equal(realm('REGISTRY.example:443'), 'https://registry.example/token')
  assert.equal(realm('10.0.0.5:5000'), 'http://10.0.0.5:5000/token')
  for (const host of [
    undefined,
    '',
    'evil.example',
    'registry.example:5000',
    '10.0.0.5',
    'localhost:5000',
    'registry.example@evil.example',
    'evil.example/registry.example',
    'registry.example\\.evil',
    'a b',
    'x'.repeat(300),
    '[::',
    ':',
    '[::1]:99999',
  ]) {
    assert.equal(realm(host), 'https://registry.example/token', String(host))
  }
})

test('localhost, 127.0.0.1 and [::1] are equals on the listen port', () => {
  for (const publicUrls of [['http://127.0.0.1:5000'], ['http://localhost:5000'], ['http://[::1]:5000']]) {
    for (const host of ['localhost:5000', '127.0.0.1:5000', '[::1]:5000'])
      assert.equal(realmFor({ hostHeader: host, publicUrls, path }), `http://${host}/token`)
    for (const host of ['localhost:5001', 'localhost', '127.0.0.2:5000', 'localhost.evil.example:5000'])
      assert.equal(realmFor({ hostHeader: host, publicUrls, path }), `${publicUrls[0]}/token`)
  }
  assert.throws(() => realmFor({ hostHeader: 'localhost', publicUrls: [], path }), TypeError)
})

test('where no name is set, the realm is on the name that a proxy told, if it is one', () => {
  const realm = (hostHeader: string | undefined, proxyScheme?: 'http' | 'https') =>
    realmFor({ hostHeader, proxyScheme, publicUrls: ['http://127.0.0.1:5000'], path })
  assert.equal(realm('registry.example', 'https'), 'https://registry.example/token')
  assert.equal(realm('registry.example:8443', 'https'), 'https://registry.example:8443/token')
  assert.equal(realm('[2001:db8::1]:80', 'http'), 'http://[2001:db8::1]/token')
  assert.equal(realm('registry.example'), 'http://127.0.0.1:5000/token')
  for (const host of [undefined, '', 'a b', 'a/b', 'a@b', 'a:99999', 'x'.repeat(300), 'a,b', 'a\\b', 'a?b'])
    assert.equal(realm(host, 'https'), 'http://127.0.0.1:5000/token', String(host))
})

test('whatever Host is sent, the realm is on a name that is ours', () => {
  const ours = new Set([
    'https://registry.example/token',
    'http://127.0.0.1:5000/token',
    'http://localhost:5000/token',
    'http://[::1]:5000/token',
  ])
  const host = fc.oneof(
    fc.string(),
    fc.webAuthority({ withPort: true, withUserInfo: true }),
    fc.constantFrom('localhost:5000', '[::1]:5000'),
  )
  fc.assert(
    fc.property(host, (hostHeader) =>
      assert.ok(ours.has(realmFor({ hostHeader, publicUrls: ['https://registry.example', 'http://127.0.0.1:5000'], path }))),
    ),
  )
})
