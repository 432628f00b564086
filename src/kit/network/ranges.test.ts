import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nearnessOf, plainAddress, rangesOf } from './ranges.ts'

test('a range holds its addresses, in either form, and no others', () => {
  const ranges = rangesOf(['10.20.0.0/16', 'fd00::/8', '192.0.2.7/32'])
  for (const address of ['10.20.0.0', '10.20.255.255', '::ffff:10.20.1.1', '::FFFF:10.20.1.1', 'fd12::1', 'fd12::1%eth0', '192.0.2.7'])
    assert.ok(ranges.has(address), address)
  for (const address of ['10.21.0.0', '192.0.2.8', 'fe00::1', '', 'registry.example', '10.20.1.1:80', '10.20.1', '[fd00::1]', '0x0a140101'])
    assert.ok(!ranges.has(address), address)
  assert.ok(!rangesOf([]).has('127.0.0.1'))
})

test('how near an address is', () => {
  const known = {
    loopback: ['127.0.0.1', '127.255.0.1', '::1', '::ffff:127.0.0.1'],
    private: ['10.0.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::1', '::ffff:10.0.0.1'],
    apart: ['0.0.0.0', '169.254.169.254', '::ffff:169.254.169.254', '224.0.0.1', '255.255.255.255', '::', 'fe80::1%eth0', 'ff02::1'],
    public: ['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111'],
  }
  for (const [nearness, addresses] of Object.entries(known))
    for (const address of addresses) assert.equal(nearnessOf(address), nearness, address)
})

test('an IPv6 address that carries another one is not taken at its word', () => {
  for (const address of ['64:ff9b::7f00:1', '2002:7f00:1::', '::7f00:1', '2001:0:7f00:1::'])
    assert.notEqual(nearnessOf(address), 'public', address)
  assert.equal(nearnessOf('::ffff:7f00:1'), 'loopback')
  assert.equal(nearnessOf('::ffff:101:101'), 'public')
})

test('no text is public but an address', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      if (plainAddress(text) === undefined) assert.equal(nearnessOf(text), 'apart')
    }),
  )
})
