import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import fc from 'fast-check'
import { addressOf, askedName, createPeerReader } from './forwarded.ts'
import { keepNote } from './request-note.ts'

const loopback = ['127.0.0.0/8', '::1/128']

function requestFrom(remoteAddress: string, headers: Record<string, string> = {}): IncomingMessage {
  return { headers: { host: 'own.example', ...headers }, socket: { remoteAddress } } as unknown as IncomingMessage
}

/** Out: the client that is taken for the one who asks, and whether a proxy is believed. */
function peerOf(from: string, forwardedFor?: string, trustedProxies = loopback) {
  const read = createPeerReader({ behindProxy: true, trustedProxies }, () => undefined)
  const { address, byProxy } = read(requestFrom(from, forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor }))
  return [address, byProxy]
}

function noted(from: string, headers: Record<string, string>, trustedProxies = loopback): IncomingMessage {
  const request = requestFrom(from, headers)
  const peer = createPeerReader({ behindProxy: true, trustedProxies }, () => undefined)(request)
  keepNote(request, { ...peer, id: 'x', startedAt: 0, socket: request.socket, principal: undefined, route: undefined, error: undefined })
  return request
}

test('a listed proxy says who asks: the rightmost address that is not listed itself', () => {
  assert.deepEqual(peerOf('127.0.0.1', '203.0.113.9'), ['203.0.113.9', true])
  assert.deepEqual(peerOf('127.0.0.1', '198.51.100.1, 203.0.113.9'), ['203.0.113.9', true])
  assert.deepEqual(peerOf('::1', '203.0.113.9, 127.0.0.1,::1'), ['203.0.113.9', true])
  assert.deepEqual(peerOf('10.0.0.1', '203.0.113.9,10.0.0.2', ['10.0.0.0/24']), ['203.0.113.9', true])
  assert.deepEqual(peerOf('10.0.0.1', '203.0.113.9, 10.0.1.2', ['10.0.0.0/24']), ['10.0.1.2', true])
  assert.deepEqual(peerOf('127.0.0.1'), ['127.0.0.1', true])
  assert.deepEqual(peerOf('127.0.0.1', '127.0.0.2, 127.0.0.3'), ['127.0.0.2', true])
})

test('an address that is not listed says nothing', () => {
  assert.deepEqual(peerOf('10.0.0.1', '203.0.113.9'), ['10.0.0.1', false])
  assert.deepEqual(peerOf('2001:db8::1', '127.0.0.1'), ['2001:db8::1', false])
  assert.deepEqual(peerOf('127.0.0.1', '203.0.113.9', []), ['127.0.0.1', false])
  const never = createPeerReader({ behindProxy: false, trustedProxies: loopback }, assert.fail)
  assert.deepEqual(never(requestFrom('127.0.0.1', { 'x-forwarded-for': '203.0.113.9' })), { address: '127.0.0.1', byProxy: false })
})

test('IPv6, brackets, ports and the IPv6 form of an IPv4 address', () => {
  assert.deepEqual(peerOf('::ffff:127.0.0.1', '203.0.113.9'), ['203.0.113.9', true])
  for (const given of ['203.0.113.9:4711', '[203.0.113.9]', '::ffff:203.0.113.9', '[::ffff:203.0.113.9]:80', '  203.0.113.9\t'])
    assert.deepEqual(peerOf('127.0.0.1', given), ['203.0.113.9', true], given)
  for (const given of ['2001:db8::7', '[2001:db8::7]', '[2001:db8::7]:4711', '2001:db8::7%eth0'])
    assert.deepEqual(peerOf('127.0.0.1', given), ['2001:db8::7', true], given)
})

test('what is no address ends the list: who sent it stands for the client', () => {
  for (const given of [
    '',
    'unknown',
    'evil.example',
    '1.2.3',
    '999.1.1.1',
    '1.2.3.4:port',
    '<script>',
    '0x7f000001',
    `1.2.3.4${' '.repeat(80)}x`,
  ])
    assert.deepEqual(peerOf('127.0.0.1', given), ['127.0.0.1', true], given)
  assert.deepEqual(peerOf('127.0.0.1', '203.0.113.9, unknown'), ['127.0.0.1', true])
  assert.deepEqual(peerOf('127.0.0.1', 'unknown, 203.0.113.9'), ['203.0.113.9', true])
})

test('of a very long list only the end is read', () => {
  const long = Array.from({ length: 5000 }, () => '127.0.0.2')
  assert.deepEqual(peerOf('127.0.0.1', ['203.0.113.9', ...long].join(',')), ['127.0.0.2', true])
})

test('whatever is sent, the client is an address', () => {
  const part = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('127.0.0.1', '[::1]:1', 'unknown'))
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      assert.match(String(peerOf('127.0.0.1', parts.join(','))[0]), /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$/)
    }),
    { numRuns: 300 },
  )
})

test('name and scheme are the word of a listed proxy, its last where there are several', () => {
  const headers = {
    'x-forwarded-host': 'first.example, registry.example',
    'x-forwarded-proto': 'http, HTTPS',
    'x-forwarded-for': '203.0.113.9',
  }
  assert.deepEqual(askedName(noted('127.0.0.1', headers)), { host: 'registry.example', scheme: 'https' })
  assert.deepEqual(askedName(noted('10.0.0.1', headers)), { host: 'own.example', scheme: undefined })
  assert.deepEqual(askedName(noted('127.0.0.1', { 'x-forwarded-proto': 'gopher' })), { host: 'own.example', scheme: undefined })
  assert.deepEqual(askedName(noted('127.0.0.1', { 'x-forwarded-host': '', forwarded: 'host=evil.example;proto=https' })), {
    host: 'own.example',
    scheme: undefined,
  })
  assert.deepEqual(askedName(requestFrom('127.0.0.1', headers)), { host: 'own.example', scheme: undefined })
  assert.equal(addressOf(noted('127.0.0.1', headers)), '203.0.113.9')
  assert.equal(addressOf(requestFrom('127.0.0.1', headers)), '127.0.0.1')
})

test('the first proxy that is not believed is told of, once', () => {
  const told: string[] = []
  const read = createPeerReader({ behindProxy: true, trustedProxies: loopback }, (address) => told.push(address))
  for (const from of ['127.0.0.1', '10.0.0.1', '10.0.0.2']) read(requestFrom(from))
  assert.deepEqual(told, [])
  for (const from of ['127.0.0.1', '10.0.0.1', '10.0.0.2']) read(requestFrom(from, { 'x-forwarded-for': '203.0.113.9' }))
  assert.deepEqual(told, ['10.0.0.1'])
})
