import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { isHeldForBackup, leaseMs, takeLease } from '../backup/lease.ts'
import { nothingFreed } from '../collection/parts.ts'
import { collectIn, graceMs } from './collection.ts'
import type { OpenRecords } from './records.ts'
import { openWorld, pushBlob } from './world.ts'

/** The hold that a backup has of the objects: a row of `meta`. */
export function leaseSuite(implementation: string, open: OpenRecords): void {
  describe(`hold of objects for a backup over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    test('while it is there the collection goes on, and removes no object', async () => {
      const world = await openWorld(stack, open)
      const now = () => world.clock.now
      await pushBlob(world, 'shop/api', 'orphan')
      const lease = await takeLease(world.records, now)
      world.clock.now += graceMs
      const freed = await collectIn(world)
      assert.deepEqual(freed, { ...nothingFreed, links: 1, blobs: 1 })
      assert.equal((await world.files()).length, 1)
      await lease.extend()
      await lease.release()
      assert.equal(await isHeldForBackup(world.records, now()), false)
      assert.deepEqual(await collectIn(world), { ...nothingFreed, objects: 1, bytes: 6 })
      assert.deepEqual(await world.files(), [])
    })

    test('one at a time; that of a killed backup runs out, and who comes back after that is told', async () => {
      const world = await openWorld(stack, open)
      const now = () => world.clock.now
      const first = await takeLease(world.records, now)
      await assert.rejects(takeLease(world.records, now), { code: 'CONFLICT', message: /another backup is under way/ })
      world.clock.now += leaseMs - 1
      await first.extend()
      world.clock.now += leaseMs
      await assert.rejects(takeLease(world.records, now), { code: 'CONFLICT' })
      world.clock.now += 1
      assert.equal(await isHeldForBackup(world.records, now()), false)
      await assert.rejects(first.extend(), { code: 'CONFLICT', message: /lost its hold/ })
      const second = await takeLease(world.records, now)
      await first.release()
      assert.equal(await isHeldForBackup(world.records, now()), true, 'the first lets go of its own alone')
      await second.release()
      assert.equal(await isHeldForBackup(world.records, now()), false)
    })
  })
}
