import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { LazaretError } from './errors.ts'
import { asNoRoom } from './no-room.ts'

test('a full disk is told by whoever meets it: the file system, a quota, SQLite, PostgreSQL', () => {
  const met = [
    Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    Object.assign(new Error('quota'), { code: 'EDQUOT' }),
    Object.assign(new Error('could not extend file'), { code: '53100' }),
    sqliteFull(),
    new LazaretError('INTERNAL', 'seal', { cause: Object.assign(new Error('x'), { code: 'ENOSPC' }) }),
    new AggregateError([new Error('first'), Object.assign(new Error('second'), { code: 'ENOSPC' })]),
  ]
  for (const error of met) {
    const told = asNoRoom(error)
    assert.deepEqual([told?.code, told?.status], ['UNAVAILABLE', 507], error.message)
    assert.match(told?.message ?? '', /^the disk is full/)
  }
})

test('nothing else is taken for it', () => {
  const loop: { cause?: unknown } = {}
  loop.cause = loop
  for (const error of [undefined, null, 'ENOSPC', new Error('ENOSPC'), Object.assign(new Error('x'), { code: 'EACCES', errcode: 5 }), loop])
    assert.equal(asNoRoom(error), undefined)
})

function sqliteFull(): Error {
  using database = new DatabaseSync(':memory:')
  database.exec('pragma max_page_count = 3; create table t (x)')
  try {
    database.prepare('insert into t values (zeroblob(100000))').run()
  } catch (error) {
    return error as Error
  }
  throw new Error('it was not full')
}
