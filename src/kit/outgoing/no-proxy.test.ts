import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isWithoutProxy } from './no-proxy.ts'
import { proxyFor } from './proxy.ts'

test('each form of NO_PROXY, what it takes in and what it leaves out', () => {
  const forms: Record<string, { in: string[]; out: string[] }> = {
    '*': { in: ['registry.example', '203.0.113.1', '2001:db8::1'], out: [] },
    'registry.example': { in: ['registry.example', 'REGISTRY.example.', 'a.registry.example'], out: ['aregistry.example', 'example'] },
    '.example': { in: ['registry.example', 'a.b.example'], out: ['example', 'anexample'] },
    '*.corp.example': { in: ['registry.corp.example'], out: ['corp.example', 'registry.example'] },
    'registry.example:8443': { in: ['registry.example:8443'], out: ['registry.example', 'registry.example:443'] },
    '10.20.0.0/16': { in: ['10.20.3.4', '::ffff:10.20.3.4'], out: ['10.21.0.1', '10.20.0.0.example'] },
    'fd00::/8': { in: ['fd12::1'], out: ['fe12::1', '10.0.0.1'] },
    '192.0.2.7': { in: ['192.0.2.7'], out: ['192.0.2.70', 'a.192.0.2.7'] },
    '2001:db8::7': { in: ['2001:db8::7', '2001:db8:0::7'], out: ['2001:db8::8'] },
    '[2001:db8::7]:8443': { in: ['[2001:db8::7]:8443'], out: ['2001:db8::7'] },
    'a.example, b.example  c.example': { in: ['a.example', 'b.example', 'c.example'], out: ['d.example'] },
    ',, .,:80,[],/8,10.0.0.0/99,1.1.1.1-1.1.1.9': { in: [], out: ['registry.example', '1.1.1.5', '10.0.0.1'] },
    '': { in: [], out: ['registry.example'] },
  }
  const ask = (noProxy: string, host: string) => {
    const [, name = host, port = '443'] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(host.includes('::') && !host.startsWith('[') ? '' : host) ?? []
    return isWithoutProxy(noProxy, name, Number(port))
  }
  for (const [noProxy, hosts] of Object.entries(forms)) {
    for (const host of hosts.in) assert.ok(ask(noProxy, host), `${noProxy} takes in ${host}`)
    for (const host of hosts.out) assert.ok(!ask(noProxy, host), `${noProxy} leaves out ${host}`)
  }
})

test('this machine is never asked through a proxy', () => {
  for (const host of ['localhost', 'LOCALHOST.', 'a.localhost', '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])
    assert.ok(isWithoutProxy('', host, 80), host)
})

test('no text throws, and a huge one is read in bounds', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (text, host) => void isWithoutProxy(text, host, 443)))
  assert.equal(isWithoutProxy('a.example,'.repeat(100_000), 'registry.example', 443), false)
})

test('which proxy is on the way: by scheme, the lower case first, and none where none is named', () => {
  const env = {
    HTTPS_PROXY: 'http://upper.example:3128',
    https_proxy: 'lower.example:8080',
    HTTP_PROXY: 'http://u:p%40ss@plain.example',
    NO_PROXY: '.corp',
  }
  const asked = (url: string, given: Record<string, string> = env) => proxyFor(new URL(url), given)
  assert.deepEqual(asked('https://registry.example/v2/'), {
    url: 'http://lower.example:8080/',
    shown: 'http://lower.example:8080',
    variable: 'https_proxy',
  })
  assert.deepEqual(asked('http://registry.example'), {
    url: 'http://u:p%40ss@plain.example/',
    shown: 'http://plain.example',
    variable: 'HTTP_PROXY',
  })
  assert.equal(asked('https://registry.corp'), undefined)
  assert.equal(asked('https://registry.corp', { ...env, no_proxy: '.other' })?.variable, 'https_proxy')
  assert.equal(asked('https://registry.example', { HTTP_PROXY: 'http://plain.example', ALL_PROXY: 'http://all.example' }), undefined)
  assert.equal(asked('https://registry.example', { HTTPS_PROXY: '  ' }), undefined)
  assert.equal(asked('https://[2001:db8::1]:8443/', { ...env, NO_PROXY: '2001:db8::/32', no_proxy: '' }), undefined)
})

test('what is no HTTP proxy is refused, without its password', () => {
  for (const text of [
    'socks5://u:secret@proxy.example:1080',
    'http://',
    'http://u:%zz-secret@proxy.example',
    'http://proxy.example/secret',
    'http://proxy.example?secret',
  ]) {
    assert.throws(
      () => proxyFor(new URL('https://registry.example'), { HTTPS_PROXY: text }),
      (error: Error) =>
        error.message.startsWith('HTTPS_PROXY names no HTTP proxy: it must be http://HOST:PORT') && !error.message.includes('secret'),
      text,
    )
  }
})
