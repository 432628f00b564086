import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isWithin, parseVersionRange } from './version-range.ts'

test('a range is one to four bounds, or a version', () => {
  assert.deepEqual(parseVersionRange('<2.17'), [{ operator: '<', version: '2.17' }])
  assert.deepEqual(parseVersionRange(' >= 2.0 , <2.17'), [
    { operator: '>=', version: '2.0' },
    { operator: '<', version: '2.17' },
  ])
  assert.deepEqual(parseVersionRange('1:2.3-4+b1'), [{ operator: '=', version: '1:2.3-4+b1' }])
  for (const bad of ['', '<', '<<1', '<1,', '1 2', '!=1', '<1||>2', `<${'1'.repeat(201)}`, '1,2,3,4,5'])
    assert.equal(parseVersionRange(bad), undefined, bad)
})

test('each bound holds by how the version stands to it, and doubt stays doubt', () => {
  const within = (operator: '<' | '<=' | '>' | '>=' | '=') =>
    ([-1, 0, 1, 'unknown'] as const).map((order) => isWithin({ operator, version: '1' }, order))
  assert.deepEqual(within('<'), [true, false, false, 'unknown'])
  assert.deepEqual(within('<='), [true, true, false, 'unknown'])
  assert.deepEqual(within('='), [false, true, false, 'unknown'])
  assert.deepEqual(within('>='), [false, true, true, 'unknown'])
  assert.deepEqual(within('>'), [false, false, true, 'unknown'])
})
