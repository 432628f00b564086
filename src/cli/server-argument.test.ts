import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../kit/errors.ts'
import { isPlainHttp, parseServer } from './server-argument.ts'

test('servers as people name them', () => {
  const cases = {
    'registry.example': 'https://registry.example',
    'registry.example:5000': 'https://registry.example:5000',
    'localhost:5000': 'http://localhost:5000',
    '127.0.0.1:5000': 'http://127.0.0.1:5000',
    '[::1]:5000': 'http://[::1]:5000',
    'http://registry.example': 'http://registry.example',
    'https://localhost:5000/': 'https://localhost:5000',
    'HTTPS://Registry.Example:443': 'https://registry.example',
  }
  for (const [text, origin] of Object.entries(cases)) assert.equal(parseServer(text), origin, text)
  assert.deepEqual(['http://registry.example', 'https://registry.example', 'http://localhost:1', 'http://[::1]:1'].map(isPlainHttp), [
    true,
    false,
    false,
    false,
  ])
})

test('what is none is refused, without its password', () => {
  for (const text of [
    '',
    ' ',
    'registry.example/shop',
    'https://registry.example/v2',
    'https://bob:hush@registry.example',
    'ftp://registry.example',
    'file:///etc',
    'a b',
    'registry.example?x',
    'registry.example#x',
    'http://',
    'x'.repeat(400),
    'registry.example:99999',
  ]) {
    assert.throws(
      () => parseServer(text),
      (error) => error instanceof LazaretError && error.code === 'USAGE' && !error.message.includes('hush'),
      text,
    )
  }
})

test('any text is an origin of http or https, or USAGE', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.webUrl(), fc.domain()), (text) => {
      try {
        const origin = parseServer(text)
        return new URL(origin).origin === origin && /^https?:/.test(origin)
      } catch (error) {
        return error instanceof LazaretError && error.code === 'USAGE'
      }
    }),
  )
})
