import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { after, describe, test } from 'node:test'
import type { Digest } from '../../model/digest.ts'
import { breaking, chunks } from '../objects/suite.ts'
import type { OpenRecords } from './records.ts'
import { digestOfBytes, expireSeconds, openWorld, ownerIn, pushBlob, type World } from './world.ts'

const abc = Buffer.from('abcdef')
const wrong = `sha256:${'0'.repeat(64)}` as Digest

export function uploadsSuite(implementation: string, open: OpenRecords): void {
  describe(`uploads over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())
    const begin = async () => {
      const world = await openWorld(stack, open)
      const owner = await ownerIn(world, 'shop/api')
      return { world, owner, uploads: world.uploads, id: await world.uploads.start(owner) }
    }

    test('monolithic: the bytes are a blob of this repository, and queued to be read', async () => {
      const { world, owner, uploads, id } = await begin()
      const blob = await uploads.finish(id, owner, chunks([abc]), digestOfBytes(abc))
      assert.deepEqual([blob.digest, blob.sizeBytes], [digestOfBytes(abc), 6])
      const found = await world.blobs.find('shop/api', blob.digest)
      assert.deepEqual(
        [found?.id, found?.digest, found?.sizeBytes, found?.objectKey],
        [blob.id, blob.digest, blob.sizeBytes, blob.objectKey],
      )
      assert.equal(await text(world, blob), 'abcdef')
      assert.deepEqual(await jobs(world), [{ kind: 'inventory', subject: blob.digest, state: 'waiting' }])
      assert.deepEqual([await rows(world), await world.files()], [0, [blob.objectKey]])
      await assert.rejects(uploads.status(id, owner), { code: 'BLOB_UPLOAD_UNKNOWN' })
    })

    test('chunked: each chunk where the one before ended', async () => {
      const { world, owner, uploads, id } = await begin()
      assert.equal(await uploads.append(id, owner, chunks([abc]), 0), 6)
      assert.equal(await uploads.status(id, owner), 6)
      assert.equal(await uploads.append(id, owner, chunks([abc]), 6), 12)
      const blob = await uploads.finish(id, owner, chunks([Buffer.from('!')]), digestOfBytes('abcdefabcdef!'), 12)
      assert.equal(await text(world, blob), 'abcdefabcdef!')
    })

    test('out of order: refused with what was received, which stays', async () => {
      const { owner, uploads, id } = await begin()
      await uploads.append(id, owner, chunks([abc]))
      for (const startsAt of [0, 5, 7, 1_000_000]) {
        await assert.rejects(uploads.append(id, owner, chunks([abc]), startsAt), { code: 'BLOB_UPLOAD_INVALID', detail: { received: 6 } })
        await assert.rejects(uploads.finish(id, owner, chunks([abc]), wrong, startsAt), {
          code: 'BLOB_UPLOAD_INVALID',
          detail: { received: 6 },
        })
      }
      assert.equal((await uploads.finish(id, owner, chunks([]), digestOfBytes(abc), 6)).sizeBytes, 6)
    })

    test('after a restart the hash is made again from what is on disk', async () => {
      const { world, owner, uploads, id } = await begin()
      const bytes = randomBytes(2_500_000)
      await uploads.append(id, owner, chunks([bytes.subarray(0, 1_700_000)]))
      await uploads.close()
      const again = await world.restarted()
      assert.equal(await again.status(id, owner), 1_700_000)
      const blob = await again.finish(id, owner, chunks([bytes.subarray(1_700_000)]), digestOfBytes(bytes), 1_700_000)
      assert.equal(blob.sizeBytes, bytes.length)
    })

    test('an idle one closes its file and goes on all the same', async () => {
      const { world, owner, uploads, id } = await begin()
      await uploads.append(id, owner, chunks([abc]))
      world.clock.now += 61_000
      assert.equal(await uploads.expire(), 0)
      assert.equal((await uploads.finish(id, owner, chunks([abc]), digestOfBytes('abcdefabcdef'))).sizeBytes, 12)
    })

    test('cancelled: nothing is left', async () => {
      const { world, owner, uploads, id } = await begin()
      await uploads.append(id, owner, chunks([abc]))
      await uploads.cancel(id, owner)
      assert.deepEqual([await rows(world), await world.files()], [0, []])
      await assert.rejects(uploads.append(id, owner, chunks([abc])), { code: 'BLOB_UPLOAD_UNKNOWN' })
      await assert.rejects(uploads.cancel(id, owner), { code: 'BLOB_UPLOAD_UNKNOWN' })
    })

    test('expired: refused before it is swept, and nothing is left after', async () => {
      const { world, owner, uploads, id } = await begin()
      await uploads.append(id, owner, chunks([abc]))
      world.clock.now += expireSeconds * 1000 + 1
      await assert.rejects(uploads.append(id, owner, chunks([abc])), { code: 'BLOB_UPLOAD_UNKNOWN' })
      await assert.rejects(uploads.status(id, owner), { code: 'BLOB_UPLOAD_UNKNOWN' })
      await assert.rejects((await world.restarted()).finish(id, owner, chunks([]), digestOfBytes(abc)), { code: 'BLOB_UPLOAD_UNKNOWN' })
      assert.equal(await uploads.expire(), 1)
      assert.deepEqual([await rows(world), await world.files(), await uploads.expire()], [0, [], 0])
    })

    test('it expires when it lay idle, not when it is long: chunk by chunk it goes on', async () => {
      const { world, owner, uploads, id } = await begin()
      for (let at = 0; at < 5; at++) {
        world.clock.now += expireSeconds * 700
        assert.equal(await uploads.append(id, owner, chunks([abc])), (at + 1) * 6)
        assert.equal(await uploads.expire(), 0)
      }
    })

    test('it does not expire under a request that writes', async () => {
      const { world, owner, uploads, id } = await begin()
      const slow = Promise.withResolvers<void>()
      const writing = uploads.finish(id, owner, held(slow.promise), digestOfBytes('abcdef'))
      await setImmediate()
      world.clock.now += expireSeconds * 2000
      assert.equal(await uploads.expire(), 0)
      slow.resolve()
      assert.equal((await writing).sizeBytes, 6)
    })

    test("somebody else's, or another repository's, is unknown, and they can't hold it up", async () => {
      const { world, owner, uploads, id } = await begin()
      await uploads.append(id, owner, chunks([abc]))
      const strangers = [
        await ownerIn(world, 'shop/api', 'user:mallory'),
        await ownerIn(world, 'shop/other'),
        { ...owner, principal: 'robot:dev' },
      ]
      const restarted = await world.restarted()
      for (const stranger of strangers) {
        for (const some of [uploads, restarted]) {
          await assert.rejects(some.status(id, stranger), { code: 'BLOB_UPLOAD_UNKNOWN' })
          await assert.rejects(some.append(id, stranger, chunks([abc])), { code: 'BLOB_UPLOAD_UNKNOWN' })
          await assert.rejects(some.finish(id, stranger, chunks([]), digestOfBytes(abc)), { code: 'BLOB_UPLOAD_UNKNOWN' })
          await assert.rejects(some.cancel(id, stranger), { code: 'BLOB_UPLOAD_UNKNOWN' })
        }
      }
      assert.equal(await uploads.status(id, owner), 6)
    })

    test('ids that are none', async () => {
      const { owner, uploads } = await begin()
      for (const id of ['', '../x', randomUUID(), 'a\0b', "' or 1=1 --", 'x'.repeat(10_000)]) {
        await assert.rejects(uploads.append(id, owner, chunks([abc])), { code: 'BLOB_UPLOAD_UNKNOWN' })
      }
    })

    test('two requests at once: one writes, the other conflicts, and who only asks is answered', async () => {
      const { world, owner, uploads, id } = await begin()
      const slow = Promise.withResolvers<void>()
      const writing = uploads.append(id, owner, held(slow.promise))
      await setImmediate()
      await assert.rejects(uploads.append(id, owner, chunks([abc])), { code: 'CONFLICT' })
      await assert.rejects(uploads.cancel(id, owner), { code: 'CONFLICT' })
      assert.equal(await uploads.status(id, owner), 0)
      slow.resolve()
      assert.equal(await writing, 6)
      assert.equal(await text(world, await uploads.finish(id, owner, chunks([]), digestOfBytes(abc))), 'abcdef')
    })

    test('nobody appends to what is being sealed, nor to what was', async () => {
      for (const restart of [false, true]) {
        const { world, owner, uploads, id } = await begin()
        await uploads.append(id, owner, chunks([abc]))
        const some = restart ? await world.restarted() : uploads
        const finishing = some.finish(id, owner, chunks([]), digestOfBytes(abc))
        const late = Array.from({ length: 20 }, async (_, at) => {
          for (let turn = 0; turn < at; turn++) await setImmediate()
          return some.append(id, owner, chunks([Buffer.from('more')]))
        })
        const outcomes = await Promise.allSettled(late)
        const blob = await finishing
        for (const outcome of outcomes)
          assert.ok(outcome.status === 'rejected' && /CONFLICT|BLOB_UPLOAD_UNKNOWN/.test((outcome.reason as { code: string }).code))
        assert.equal(digestOfBytes(await text(world, blob)), blob.digest)
      }
    })

    test('sha512, in one and in chunks', async () => {
      const { world, owner, uploads, id } = await begin()
      const digest = digestOfBytes(abc, 'sha512')
      await uploads.append(id, owner, chunks([abc.subarray(0, 2)]))
      const blob = await uploads.finish(id, owner, chunks([abc.subarray(2)]), digest)
      assert.deepEqual([blob.digest, await text(world, blob)], [digest, 'abcdef'])
      const other = await uploads.start(owner)
      await assert.rejects(uploads.finish(other, owner, chunks([Buffer.from('x')]), digest), { code: 'DIGEST_INVALID' })
    })

    test('a wrong digest leaves nothing half stored', async () => {
      const { world, owner, uploads, id } = await begin()
      const refused = uploads.finish(id, owner, chunks([abc]), wrong)
      await assert.rejects(refused, { code: 'DIGEST_INVALID', detail: { expected: wrong, found: digestOfBytes(abc) } })
      assert.deepEqual([await rows(world), await world.files(), await jobs(world)], [0, [], []])
      assert.equal(await world.blobs.findAnywhere(digestOfBytes(abc)), undefined)
      await assert.rejects(uploads.status(id, owner), { code: 'BLOB_UPLOAD_UNKNOWN' })
    })

    test('a source that breaks leaves what had come, to go on from', async () => {
      const { owner, uploads, id } = await begin()
      await assert.rejects(uploads.append(id, owner, breaking([abc])), /the line broke/)
      assert.equal(await uploads.status(id, owner), 6)
      await assert.rejects(uploads.finish(id, owner, breaking([abc]), wrong), /the line broke/)
      assert.equal(await uploads.status(id, owner), 12)
      assert.equal((await uploads.finish(id, owner, chunks([]), digestOfBytes('abcdefabcdef'))).sizeBytes, 12)
    })

    test('the empty blob', async () => {
      const { world, owner, uploads, id } = await begin()
      const blob = await uploads.finish(id, owner, chunks([]), digestOfBytes(''))
      assert.deepEqual([blob.sizeBytes, await text(world, blob)], [0, ''])
    })

    test('the same digest many times at once: one blob, one object, and a link for each repository', async () => {
      const world = await openWorld(stack, open)
      const names = ['a', 'b', 'c', 'a', 'b', 'c', 'a', 'a']
      const blobs = await Promise.all(names.map((name) => pushBlob(world, name, abc)))
      assert.equal(new Set(blobs.map((blob) => `${blob.id} ${blob.objectKey}`)).size, 1)
      assert.deepEqual(await world.files(), [blobs[0]?.objectKey])
      assert.equal(await rows(world), 0)
      assert.deepEqual(
        (await world.blobs.linkedBy(digestOfBytes(abc))).map((one) => one.name),
        ['a', 'b', 'c'],
      )
      assert.equal((await jobs(world)).length, 1)
    })

    test('a crash between two steps leaves a row, and the row leads to what is swept', async () => {
      const { world, owner, uploads, id } = await begin()
      await pushBlob(world, 'shop/api', abc)
      const remove = world.objects.remove
      world.objects.remove = () => Promise.reject(new Error('the power went'))
      await assert.rejects(uploads.finish(id, owner, chunks([abc]), digestOfBytes(abc)), /the power went/)
      assert.equal((await world.files()).length, 2)
      world.objects.remove = remove
      const restarted = await world.restarted()
      await assert.rejects(restarted.append(id, owner, chunks([abc])), { code: 'BLOB_UPLOAD_UNKNOWN' })
      assert.equal(await restarted.expire(), 1)
      assert.deepEqual([await rows(world), (await world.files()).length], [0, 1])
    })

    test('one that can not be removed does not keep the others from it', async () => {
      const { world, owner, uploads, id } = await begin()
      const other = await uploads.start(owner)
      world.clock.now += expireSeconds * 1000 + 1
      const stuck = await world.records.read.selectFrom('uploads').select('object_key').where('id', '=', id).executeTakeFirstOrThrow()
      const remove = world.objects.remove
      world.objects.remove = (key) => (key === stuck.object_key ? Promise.reject(new Error('EIO')) : remove(key))
      await assert.rejects(uploads.expire(), /1 of 2 uploads/)
      assert.deepEqual(
        (await world.records.read.selectFrom('uploads').select('id').execute()).map((row) => row.id),
        [id],
      )
      assert.notEqual(id, other)
    })

    test('after a sync that failed nothing is taken for stored', async () => {
      const { world, owner, uploads, id } = await begin()
      const create = world.objects.create
      world.objects.create = async (key) => {
        const writer = await create(key)
        writer.seal = async () => {
          await writer.release()
          throw new Error('EIO: sync')
        }
        return writer
      }
      const bad = await uploads.start(owner)
      await assert.rejects(uploads.finish(bad, owner, chunks([abc]), digestOfBytes(abc)), /EIO: sync/)
      await assert.rejects(uploads.finish(bad, owner, chunks([]), digestOfBytes(abc)), { code: 'BLOB_UPLOAD_UNKNOWN' })
      assert.equal(await world.blobs.findAnywhere(digestOfBytes(abc)), undefined)
      assert.equal(await uploads.status(id, owner), 0)
    })

    test('more than may have their file open: the longest unused makes room, and can go on', async () => {
      const { owner, uploads, id } = await begin()
      await uploads.append(id, owner, chunks([abc]))
      const many = await Promise.all(Array.from({ length: 1010 }, () => uploads.start(owner)))
      assert.equal(new Set(many).size, 1010)
      assert.equal((await uploads.finish(id, owner, chunks([abc]), digestOfBytes('abcdefabcdef'), 6)).sizeBytes, 12)
    })
  })
}

async function* held(until: Promise<void>): AsyncGenerator<Buffer> {
  await until
  yield abc
}

async function text(world: World, blob: Parameters<World['blobs']['read']>[0]): Promise<string> {
  return Buffer.concat((await (await world.blobs.read(blob)).toArray()) as Buffer[]).toString()
}

async function rows(world: World): Promise<number> {
  return (await world.records.read.selectFrom('uploads').select('id').execute()).length
}

async function jobs(world: World): Promise<{ kind: string; subject: string; state: string }[]> {
  return (await world.records.read.selectFrom('jobs').select(['kind', 'subject', 'state']).orderBy('id').execute()).map((row) => ({
    ...row,
  }))
}
