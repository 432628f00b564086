import assert from 'node:assert/strict'
import { rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { collectObjects } from '../collection/objects.ts'
import { listDamaged } from '../scrub/damage.ts'
import { scrubNext, type Scrubbed } from '../scrub/scrub.ts'
import { partsOf } from './collection.ts'
import type { OpenRecords } from './records.ts'
import { digestOfBytes, openWorld, pushBlob, pushImage, type World } from './world.ts'

const never = new AbortController().signal

function scrub(world: World, bytesPerSecond = 1e9): Promise<Scrubbed | undefined> {
  return scrubNext(
    { records: world.records, objects: world.objects, bytesPerSecond, now: () => world.clock.now },
    world.clock.now - 1,
    never,
  )
}

export function scrubSuite(implementation: string, open: OpenRecords): void {
  describe(`scrub over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    test('each blob is read in its turn, and again only later', async () => {
      const world = await openWorld(stack, open)
      for (const text of ['one', 'two']) {
        await pushBlob(world, 'a', text)
        world.clock.now += 10
      }
      const seen = [await scrub(world), await scrub(world), await scrub(world)]
      assert.deepEqual(
        seen.map((one) => one && [one.digest, one.state]),
        [[digestOfBytes('one'), 'whole'], [digestOfBytes('two'), 'whole'], undefined],
      )
    })

    const damages: [string, (path: string) => Promise<void>, RegExp][] = [
      ['changed', (path) => writeFile(path, 'lAyer'), /its bytes on disk are not those of its digest/],
      ['cut short', (path) => truncate(path, 2), /2 bytes on disk, where 5/],
      ['longer', (path) => writeFile(path, 'layer and more'), /14 bytes on disk, where 5/],
      ['gone', (path) => rm(path), /can't be read/],
    ]
    for (const [word, damage, says] of damages) {
      test(`a blob that is ${word} is named once, judged anew with its holders, and healed by a push`, async () => {
        const world = await openWorld(stack, open)
        const image = await pushImage(world, 'a', [], ['layer'])
        const before = (await world.blobs.find('a', digestOfBytes('layer'))) ?? assert.fail()
        await damage(join(world.folder, before.objectKey.slice(0, 2), before.objectKey))
        await world.records.write((tx) => tx.deleteFrom('jobs').execute())
        world.clock.now += 10
        const found = [await scrub(world), await scrub(world), await scrub(world)].filter((one) => one?.state === 'damaged')
        assert.deepEqual(
          found.map((one) => one?.digest),
          [before.digest],
        )
        const [listed, ...others] = await listDamaged(world.records, 10)
        assert.equal(others.length, 0)
        assert.deepEqual([listed?.digest, listed?.manifests, listed?.damagedAt], [before.digest, 1, world.clock.now])
        assert.match(listed?.damage ?? '', says)
        assert.equal((await world.blobs.find('a', before.digest))?.damagedAt, world.clock.now)
        assert.deepEqual(await jobs(world), [`rejudge ${image.digest}`])

        const healed = await pushBlob(world, 'a', 'layer')
        assert.notEqual(healed.objectKey, before.objectKey)
        assert.equal((await (await world.blobs.read((await world.blobs.find('a', before.digest)) ?? healed)).toArray()).join(''), 'layer')
        assert.deepEqual(await listDamaged(world.records, 10), [])
        assert.deepEqual((await jobs(world)).toSorted(), [`inventory ${before.digest}`, `rejudge ${image.digest}`])
        await collectObjects(partsOf(world))
        assert.equal((await world.files()).length, 2)
        assert.deepEqual(
          (
            await world.records.read
              .selectFrom('audit_log')
              .select(['action', 'subject'])
              .where('action', 'like', 'blob.%')
              .orderBy('id')
              .execute()
          ).map((row) => `${row.action} ${row.subject}`),
          [`blob.damaged ${before.digest}`, `blob.healed ${before.digest}`],
        )
      })
    }

    test('what is around the blob is no damage of it', async () => {
      const world = await openWorld(stack, open)
      await pushBlob(world, 'a', 'layer')
      world.clock.now += 10
      const trouble = Object.assign(new Error('too many open files'), { code: 'EMFILE' })
      const objects = { ...world.objects, read: () => Promise.reject(trouble) }
      const parts = { records: world.records, objects, bytesPerSecond: 1e9, now: () => world.clock.now }
      await assert.rejects(scrubNext(parts, world.clock.now, never), trouble)
      assert.deepEqual(await listDamaged(world.records, 10), [])
      assert.equal((await scrub(world))?.state, 'whole')
    })

    test('it keeps its pace, and stops in the middle of a blob', async () => {
      const world = await openWorld(stack, open)
      await pushBlob(world, 'a', Buffer.alloc(3 << 20))
      world.clock.now += 10
      const began = performance.now()
      assert.equal((await scrub(world, 10 << 20))?.state, 'whole')
      const tookMs = performance.now() - began
      assert.ok(tookMs > 280, `3 MiB at 10 MiB/s took ${tookMs} ms`)
      world.clock.now += 10
      const stop = new AbortController()
      setTimeout(() => stop.abort(), 20)
      const parts = { records: world.records, objects: world.objects, bytesPerSecond: 1000, now: () => world.clock.now }
      await assert.rejects(scrubNext(parts, world.clock.now, stop.signal), { name: 'AbortError' })
    })
  })
}

async function jobs(world: World): Promise<string[]> {
  const rows = await world.records.read.selectFrom('jobs').select(['kind', 'subject']).orderBy('id').execute()
  return rows.map((row) => `${row.kind} ${row.subject}`)
}
