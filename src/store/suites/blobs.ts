import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { linkBlob } from '../blobs/blobs.ts'
import type { OpenRecords } from './records.ts'
import { digestOfBytes, openWorld, pushBlob, repository } from './world.ts'

export function blobsSuite(implementation: string, open: OpenRecords): void {
  describe(`blobs over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    test('nobody reads a blob through a repository that does not hold it', async () => {
      const world = await openWorld(stack, open)
      const blob = await pushBlob(world, 'shop/api', 'secret')
      await repository(world, 'shop/other')
      assert.equal((await world.blobs.find('shop/api', blob.digest))?.id, blob.id)
      for (const name of ['shop/other', 'shop/none', 'shop', 'shop/api/x', 'SHOP/API', ''])
        assert.equal(await world.blobs.find(name, blob.digest), undefined, name)
      assert.equal(await world.blobs.find('shop/api', digestOfBytes('other')), undefined)
      assert.equal((await world.blobs.findAnywhere(blob.digest))?.id, blob.id)
    })

    test('a link is made once, in the transaction of its check, and taken away alone', async () => {
      const world = await openWorld(stack, open)
      const blob = await pushBlob(world, 'shop/api', 'layer')
      const other = await repository(world, 'shop/other')
      await Promise.all([1, 2, 3].map(() => world.records.write((tx) => linkBlob(tx, other.id, blob.id, 5))))
      assert.deepEqual(
        (await world.blobs.linkedBy(blob.digest)).map((one) => one.name),
        ['shop/api', 'shop/other'],
      )
      const api = await repository(world, 'shop/api')
      assert.equal(await world.blobs.unlink(api.id, blob.digest), true)
      assert.equal(await world.blobs.unlink(api.id, blob.digest), false)
      assert.equal(await world.blobs.unlink(api.id, digestOfBytes('never')), false)
      assert.equal(await world.blobs.find('shop/api', blob.digest), undefined)
      assert.equal((await world.blobs.find('shop/other', blob.digest))?.id, blob.id)
      assert.equal((await world.files()).length, 1)
    })

    test('what was deleted is not read again through another repository, and comes back by a push alone', async () => {
      const world = await openWorld(stack, open)
      const blob = await pushBlob(world, 'a', 'layer')
      await pushBlob(world, 'b', 'layer')
      await world.blobs.unlink((await repository(world, 'a')).id, blob.digest)
      assert.equal(await world.blobs.find('a', blob.digest), undefined)
      assert.equal((await pushBlob(world, 'a', 'layer')).id, blob.id)
      assert.equal((await world.blobs.find('a', blob.digest))?.id, blob.id)
    })

    test('repositories that are new to two requests at once are made once', async () => {
      const world = await openWorld(stack, open)
      const made = await Promise.all(Array.from({ length: 12 }, (_, at) => repository(world, at % 2 === 0 ? 'x' : 'y')))
      assert.equal(new Set(made.map((one) => one.id)).size, 2)
    })
  })
}
