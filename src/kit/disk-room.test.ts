import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { createDiskWatch, lowWaterOf } from './disk-room.ts'
import { LazaretError } from './errors.ts'
import { createLog } from './log.ts'
import { asNoRoom } from './no-room.ts'

test('the mark is as it is set, else 1 GiB, or a twentieth of a small volume', () => {
  assert.equal(lowWaterOf(1e12, undefined), 2 ** 30)
  assert.equal(lowWaterOf(100_000_000, undefined), 5_000_000)
  assert.equal(lowWaterOf(1e12, 0), 0)
  assert.equal(lowWaterOf(1e12, 7), 7)
})

test('below the mark nothing is taken in, and the reason is such that what has come is thrown away; it is said once in the log', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', write: (line) => void lines.push(line) })
  const watch = createDiskWatch({ folders: [tmpdir(), tmpdir()], lowWaterBytes: 2 ** 52, log })
  watch.requireRoom(0) // nothing was seen yet
  await watch.look()
  await watch.look()
  assert.equal(watch.rooms().length, 1)
  assert.throws(
    () => watch.requireRoom(0),
    (error: unknown) =>
      error instanceof LazaretError && error.status === 507 && /pulls go on/.test(error.message) && asNoRoom(error) !== undefined,
  )
  assert.equal(lines.length, 1)
})

test('what would take the volume below its mark is refused before it comes', async () => {
  const watch = createDiskWatch({ folders: [tmpdir()], lowWaterBytes: 1, log: createLog({ level: 'silent' }) })
  await watch.look()
  const free = watch.rooms()[0]?.freeBytes ?? assert.fail()
  watch.requireRoom(0)
  watch.requireRoom(Math.floor(free / 2))
  assert.throws(() => watch.requireRoom(free + 1), LazaretError)
  const unmarked = createDiskWatch({ folders: [tmpdir()], lowWaterBytes: 0, log: createLog({ level: 'silent' }) })
  await unmarked.look()
  unmarked.requireRoom(free * 2) // a full disk says so itself
})

test('a volume that can’t be looked at is said, and what was seen last stands', async () => {
  const lines: string[] = []
  const log = createLog({ level: 'info', write: (line) => void lines.push(line) })
  const watch = createDiskWatch({ folders: ['/nowhere/at-all'], lowWaterBytes: undefined, log })
  await watch.look()
  assert.match(lines.join(''), /"level":"error".*not known/)
  watch.requireRoom(1)
})
