import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Tx } from '../../store/records/records.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { digestOfBytes, pushBlob } from '../../store/suites/world.ts'
import { openFlow } from './world.ts'

export function inventoriesSuite(implementation: string, open: OpenRecords): void {
  describe(`inventories over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())
    const begin = async (text: string) => {
      const world = await openFlow(stack, open)
      return { world, digest: (await pushBlob(world, 'a', text)).digest }
    }

    test('a layer is read once, however many ask, and kept', async () => {
      const { world, digest } = await begin('curl 1')
      const answers = await Promise.all(Array.from({ length: 20 }, () => world.inventories.of(digest)))
      for (const answer of answers) assert.deepEqual(answer.state === 'layer' && Buffer.from(answer.facts).toString(), 'curl 1')
      assert.equal((await world.with({}).inventories.of(digest)).state, 'layer')
      assert.deepEqual(world.asked, ['inventory curl 1'])
    })

    test('what belongs to the reading is done with it, and once for each who brings it, also where nothing is read', async () => {
      const { world, digest } = await begin('curl 1')
      const done: string[] = []
      const also = (name: string) => async (tx: Tx) => {
        done.push(name)
        await tx.insertInto('repositories').values({ name, created_at: 1 }).execute()
      }
      await Promise.all([world.inventories.of(digest, also('first')), world.inventories.of(digest, also('beside'))])
      await world.inventories.of(digest, also('later'))
      await world.inventories.of(digestOfBytes(Buffer.from('absent')), also('absent'))
      assert.deepEqual(done, ['first', 'beside', 'later', 'absent'])
      const rows = await world.records.read.selectFrom('repositories').select('name').where('name', 'in', done).execute()
      assert.equal(rows.length, 4)
      const { world: other, digest: unkept } = await begin('curl 1')
      await assert.rejects(
        other.inventories.of(unkept, () => Promise.reject(new Error('it failed'))),
        /it failed/,
      )
      assert.deepEqual(await other.records.read.selectFrom('blob_layers').selectAll().execute(), [], 'neither stands without the other')
    })

    for (const [text, state] of [
      ['json', 'json'],
      ['other', 'unreadable'],
      ['bomb', 'unexamined'],
    ] as const) {
      test(`${state} is kept too, and read again by other extractors`, async () => {
        const { world, digest } = await begin(text)
        const first = await world.inventories.of(digest)
        assert.equal(first.state, state)
        assert.deepEqual(await world.inventories.of(digest), first)
        assert.equal(world.asked.length, 1)
        assert.equal((await world.with({ extractors: 'extractors-2' }).inventories.of(digest)).state, state)
        assert.equal(world.asked.length, 2)
      })
    }

    test('a failure is no answer: it is thrown, and the next who asks tries again', async () => {
      const { world, digest } = await begin('curl 1')
      world.broken.problem = 'the worker ended'
      await assert.rejects(world.inventories.of(digest), /the worker ended/)
      delete world.broken.problem
      assert.equal((await world.inventories.of(digest)).state, 'layer')
    })

    test('given up: unexamined for an hour, then tried again', async () => {
      const { world, digest } = await begin('curl 1')
      await world.inventories.giveUp(digest, 'the worker\0ended')
      const answer = await world.inventories.of(digest)
      assert.ok(answer.state === 'unexamined' && answer.problem.startsWith('its examination failed: the worker'))
      assert.deepEqual(world.asked, [])
      world.clock.now += 3_600_000
      assert.equal((await world.inventories.of(digest)).state, 'layer')
    })

    test('giving up does not undo what was read', async () => {
      const { world, digest } = await begin('curl 1')
      await world.inventories.of(digest)
      await world.inventories.giveUp(digest, 'late')
      assert.equal((await world.inventories.of(digest)).state, 'layer')
    })

    test('a blob that is not here is said to be so, and not kept', async () => {
      const { world } = await begin('x')
      const digest = digestOfBytes('later 1')
      assert.equal((await world.inventories.of(digest)).state, 'unexamined')
      await pushBlob(world, 'a', 'later 1')
      assert.equal((await world.inventories.of(digest)).state, 'layer')
    })
  })
}
