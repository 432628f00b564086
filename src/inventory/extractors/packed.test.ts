import assert from 'node:assert/strict'
import { test } from 'node:test'
import { elfWith, probed } from '../testing/probes.ts'
import { packed } from './packed.ts'

test('a program that UPX packed is named, whatever it is called', () => {
  const bytes = elfWith()
  bytes.write('UPX!', 236, 'latin1')
  assert.deepEqual(probed(packed, 'usr/bin/tool', bytes), [
    { unsupported: { kind: 'program packed by UPX, of which nothing inside can be read', component: true } },
  ])
})

test('a program that only speaks of UPX is not packed', () => {
  assert.deepEqual(probed(packed, 'usr/bin/upx', elfWith('UPX!')), [])
  assert.deepEqual(probed(packed, 'a.txt', Buffer.from('UPX!'.repeat(100))), [])
})
