import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { createPullRecords, forgetPulls, pullsOf, type Pull, type PullCursor, type PullRow } from '../pulls.ts'
import type { Records } from '../records/records.ts'
import type { OpenRecords } from './records.ts'
import { openWorld, pushImage, type Pushed, type World } from './world.ts'

/** Who pulled what (pulls). */
export function pullsSuite(implementation: string, open: OpenRecords): void {
  const stack = new AsyncDisposableStack()

  async function begin() {
    const world = await openWorld(stack, open)
    const image = await pushImage(world, 'shop/api', ['1'])
    const { id } = await world.records.read
      .selectFrom('manifests')
      .select('id')
      .where('digest', '=', image.digest)
      .executeTakeFirstOrThrow()
    const pulls = createPullRecords(world.records, () => world.clock.now)
    const pull = (more: Partial<Pull> = {}): Pull => ({
      repositoryId: image.repositoryId,
      manifestId: id,
      digest: image.digest,
      principal: 'robot:node',
      address: '192.0.2.1',
      sent: true,
      ...more,
    })
    return { world, image, pulls, pull }
  }

  describe(`pulls over ${implementation}`, () => {
    after(() => stack.disposeAsync())
    test('counted by tag, principal and address, and nothing waits for the database', async () => {
      const { world, image, pulls, pull } = await begin()
      pulls.note(pull({ tag: '1' }))
      world.clock.now += 5000
      pulls.note(pull({ tag: '1' }))
      pulls.note(pull())
      pulls.note(pull({ address: '192.0.2.2' }))
      assert.deepEqual(await rowsOf(world.records, image), [])
      await pulls.flush()
      world.clock.now += 5000
      pulls.note(pull({ tag: '1' }))
      await pulls.flush()
      const [start, end] = [world.clock.now - 10_000, world.clock.now]
      assert.deepEqual(await rowsOf(world.records, image), [
        { tag: '1', principal: 'robot:node', address: '192.0.2.1', count: 3, firstAt: start, lastAt: end },
        { principal: 'robot:node', address: '192.0.2.1', count: 1, firstAt: end - 5000, lastAt: end - 5000 },
        { principal: 'robot:node', address: '192.0.2.2', count: 1, firstAt: end - 5000, lastAt: end - 5000 },
      ])
      assert.equal(await pulledAt(world, image), end)
    })

    test('HEAD by tag and GET by the digest that it told are one pull, by tag', async () => {
      const { world, image, pulls, pull } = await begin()
      pulls.note(pull({ tag: '1', sent: false }))
      pulls.note(pull())
      await pulls.flush()
      assert.deepEqual(shown(await rowsOf(world.records, image)), [['1', 1]])
      pulls.note(pull())
      await pulls.flush()
      assert.deepEqual(shown(await rowsOf(world.records, image)), [
        [undefined, 1],
        ['1', 1],
      ])
      pulls.note(pull({ tag: '1', sent: false, address: '192.0.2.9' }))
      world.clock.now += 61_000
      pulls.note(pull({ address: '192.0.2.9' }))
      await pulls.flush()
      assert.deepEqual(shown((await rowsOf(world.records, image)).filter((row) => row.address === '192.0.2.9')), [
        [undefined, 1],
        ['1', 0],
      ])
    })

    test('HEAD alone is use without a count', async () => {
      const { world, image, pulls, pull } = await begin()
      assert.equal(await pulledAt(world, image), null)
      pulls.note(pull({ tag: '1', sent: false }))
      await pulls.flush()
      assert.deepEqual(shown(await rowsOf(world.records, image)), [['1', 0]])
      assert.equal(await pulledAt(world, image), world.clock.now)
    })

    test('pages hold each row once, the newest first', async () => {
      const { world, image, pulls, pull } = await begin()
      for (let at = 0; at < 250; at++) {
        if (at % 3 === 0) world.clock.now += 1
        pulls.note(pull({ address: `192.0.2.${at}`, ...(at % 2 === 0 ? { tag: '1' } : {}) }))
      }
      await pulls.flush()
      const seen: PullRow[] = []
      let after: PullCursor | undefined
      do {
        const page = await pullsOf(world.records, image, { limit: 40, ...(after === undefined ? {} : { after }) })
        seen.push(...page)
        const last = page.at(-1)
        after = page.length < 40 || last === undefined ? undefined : { tag: '', ...last }
      } while (after !== undefined)
      assert.equal(new Set(seen.map((row) => row.address)).size, 250)
      assert.equal(seen.length, 250)
      assert.ok(seen.every((row, at) => at === 0 || row.lastAt <= (seen[at - 1]?.lastAt ?? 0)))
    })

    test('what can be held has a bound: then without addresses, then not at all, and it is said', async () => {
      const { world, image, pull } = await begin()
      const small = createPullRecords(world.records, () => world.clock.now, { mostTold: 3, most: 5 })
      for (let at = 0; at < 10; at++) small.note(pull({ address: `192.0.2.${at}` }))
      for (const principal of ['user:a', 'user:b', 'user:c']) small.note(pull({ principal }))
      assert.equal(small.takeDropped(), 2)
      assert.equal(small.takeDropped(), 0)
      await small.flush()
      const rows = await rowsOf(world.records, image)
      assert.deepEqual(rows.map((row) => `${row.principal} ${row.address} ${row.count}`).toSorted(), [
        'robot:node 192.0.2.0 1',
        'robot:node 192.0.2.1 1',
        'robot:node 192.0.2.2 1',
        'robot:node several 7',
        'user:a several 1',
      ])
    })

    test('what can not be written is kept for the next time', async () => {
      const { world, image, pull } = await begin()
      let broken = true
      const failing: Records = {
        ...world.records,
        write: (change) => (broken ? Promise.reject(new Error('the disk is full')) : world.records.write(change)),
      }
      const pulls = createPullRecords(failing, () => world.clock.now)
      pulls.note(pull())
      await assert.rejects(pulls.flush(), /the disk is full/)
      pulls.note(pull())
      broken = false
      await pulls.flush()
      await pulls.flush()
      assert.deepEqual(shown(await rowsOf(world.records, image)), [[undefined, 2]])
    })

    test('two nodes that write at once lose nothing', async () => {
      const { world, image, pulls, pull } = await begin()
      const other = createPullRecords(world.records, () => world.clock.now)
      for (let at = 0; at < 300; at++) {
        pulls.note(pull({ address: `192.0.2.${at % 100}` }))
        other.note(pull({ address: `192.0.2.${99 - (at % 100)}` }))
      }
      await Promise.all([pulls.flush(), other.flush(), pulls.flush()])
      const rows = await rowsOf(world.records, image)
      assert.deepEqual([rows.length, rows.reduce((sum, row) => sum + row.count, 0)], [100, 600])
    })

    test('any pulls in any order and any flushes between them come to the same counts', async () => {
      const { world, image, pulls, pull } = await begin()
      const step = fc.oneof(
        fc.constant('flush' as const),
        fc.record({ tag: fc.constantFrom('1', '2'), address: fc.constantFrom('a', 'b') }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
          await world.records.write((tx) => tx.deleteFrom('pulls').execute())
          for (const one of steps) {
            if (one === 'flush') await pulls.flush()
            else pulls.note(pull(one))
          }
          await pulls.flush()
          const total = (await rowsOf(world.records, image)).reduce((sum, row) => sum + row.count, 0)
          assert.equal(total, steps.filter((one) => one !== 'flush').length)
        }),
        { numRuns: 15 },
      )
    })

    test('what is long past is forgotten', async () => {
      const { world, image, pulls, pull } = await begin()
      pulls.note(pull())
      await pulls.flush()
      assert.equal(await forgetPulls(world.records, world.clock.now), 0)
      assert.equal(await forgetPulls(world.records, world.clock.now + 1), 1)
      assert.deepEqual(await rowsOf(world.records, image), [])
    })
  })
}

function rowsOf(records: Records, image: Pushed): Promise<PullRow[]> {
  return pullsOf(records, image, { limit: 1000 })
}

function shown(rows: PullRow[]): [string | undefined, number][] {
  return rows.map((row) => [row.tag, row.count])
}

async function pulledAt(world: World, image: Pushed): Promise<number | null | undefined> {
  const row = await world.records.read
    .selectFrom('manifest_links')
    .select('pulled_at')
    .where('repository_id', '=', image.repositoryId)
    .executeTakeFirst()
  return row?.pulled_at
}
