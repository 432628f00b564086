import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import type { Digest } from '../../model/digest.ts'
import { linkBlob } from '../blobs/blobs.ts'
import { putBack } from '../collection/deleted.ts'
import { collectIn, graceMs, readable } from './collection.ts'
import type { OpenRecords } from './records.ts'
import { digestOfBytes, imageJson, openWorld, pushBlob, pushManifest, repository, type World } from './world.ts'

const names = ['a', 'b']
const layers = ['one', 'two', 'three', 'four']

/** What must be there, whatever was collected. Instants are those of the test's clock. */
interface Model {
  /** `REPOSITORY DIGEST` → bytes of a manifest that it holds. */
  held: Map<string, Buffer>
  /** The same of one that was deleted, and when. */
  deleted: Map<string, { bytes: Buffer; at: number }>
  /** `REPOSITORY DIGEST` → until when a blob must stay, manifests aside. */
  promised: Map<string, number>
}

type Step = (world: World, model: Model) => Promise<void>

/** Random pushes, deletions and collections: what is in use is never removed, and what is not is, in the end. */
export function collectionAtRandomSuite(implementation: string, open: OpenRecords): void {
  describe(`collection at random over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    test('against a model', async () => {
      const runs = fc.asyncProperty(fc.array(stepArbitrary(), { minLength: 5, maxLength: 25 }), async (steps) => {
        const world = await openWorld(stack, open)
        const model: Model = { held: new Map(), deleted: new Map(), promised: new Map() }
        for (const step of steps) {
          await step(world, model)
          await holds(world, model)
        }
        await nothingElseIsLeft(world, model)
      })
      await fc.assert(runs, { numRuns: 10, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: true })
    })

    test('eight clients push, pull and delete while it runs', async () => {
      const world = await openWorld(stack, open)
      let working = true
      let collections = 0
      const collecting = (async () => {
        while (working) {
          await collectIn(world)
          collections++
        }
      })()
      try {
        await Promise.all(Array.from({ length: 8 }, (_, at) => client(world, at)))
      } finally {
        working = false
        await collecting
      }
      assert.ok(collections > 5, `${collections} collections`)
    })
  })
}

const rounds = 8

/** Each pushes images over layers of its own and of all, reads them, and deletes every second one. */
async function client(world: World, at: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const name = names[at % names.length] ?? ''
    const { json, blobs } = imageJson([...layers.slice(0, (round % layers.length) + 1), `${at} ${round}`])
    const pushed = await pushManifest(world, name, json, { blobs, tags: [`${at}`] })
    await readable(world, name, pushed.bytes)
    if (round % 2 === 0) await world.manifests.deleteManifest(pushed.repositoryId, pushed.digest, world.clock.now)
    world.clock.now += graceMs / 20 // eight clients together pass three graces
  }
}

function stepArbitrary(): fc.Arbitrary<Step> {
  const name = fc.constantFrom(...names)
  const some = fc.uniqueArray(fc.constantFrom(...layers), { minLength: 1, maxLength: 3 })
  const any = fc.nat(1000)
  return fc.oneof(
    fc.tuple(name, fc.constantFrom(...layers)).map(([where, text]): Step => blobPush(where, text)),
    { weight: 2, arbitrary: fc.tuple(name, some).map(([where, texts]): Step => imagePush(where, texts)) },
    { weight: 2, arbitrary: any.map((which): Step => deletion(which)) },
    any.map((which): Step => undo(which)),
    fc.tuple(name, name, fc.constantFrom(...layers)).map(([from, to, text]): Step => mount(from, to, text)),
    fc.tuple(name, fc.constantFrom(...layers)).map(([where, text]): Step => touch(where, text)),
    {
      weight: 2,
      arbitrary: fc.constantFrom(0.3, 0.7, 1.1).map(
        (graces): Step =>
          async (world) =>
            void (world.clock.now += graceMs * graces),
      ),
    },
    { weight: 3, arbitrary: fc.constant<Step>(async (world) => void (await collectIn(world))) },
  )
}

function blobPush(name: string, text: string): Step {
  return async (world, model) => {
    const blob = await pushBlob(world, name, text)
    model.promised.set(`${name} ${blob.digest}`, world.clock.now + graceMs)
  }
}

function imagePush(name: string, texts: string[]): Step {
  return async (world, model) => {
    const { json, blobs } = imageJson(texts)
    for (const blob of blobs) await blobPush(name, blob)(world, model)
    const pushed = await pushManifest(world, name, json)
    model.held.set(`${name} ${pushed.digest}`, pushed.bytes)
    model.deleted.delete(`${name} ${pushed.digest}`)
  }
}

function deletion(which: number): Step {
  return async (world, model) => {
    const key = [...model.held.keys()][which % Math.max(1, model.held.size)]
    if (key === undefined) return
    const [name = '', digest = ''] = key.split(' ')
    assert.equal(await world.manifests.deleteManifest((await repository(world, name)).id, digest as Digest, world.clock.now), true)
    model.deleted.set(key, { bytes: model.held.get(key) ?? Buffer.alloc(0), at: world.clock.now })
    model.held.delete(key)
  }
}

function undo(which: number): Step {
  return async (world, model) => {
    const key = [...model.deleted.keys()][which % Math.max(1, model.deleted.size)]
    if (key === undefined) return
    const [name = '', digest = ''] = key.split(' ')
    const { bytes, at } = model.deleted.get(key) ?? assert.fail()
    const here = await repository(world, name)
    const since = world.clock.now - graceMs
    const back = world.records.write((tx) => putBack(tx, here, digest as Digest, since, 'user:ops', world.clock.now))
    if (at <= since) await assert.rejects(back, { code: 'NOT_FOUND' })
    else {
      await back
      model.held.set(key, bytes)
    }
    model.deleted.delete(key)
  }
}

function mount(from: string, to: string, text: string): Step {
  return async (world, model) => {
    const blob = await world.blobs.find(from, digestOfBytes(text))
    if (blob === undefined) return
    const target = await repository(world, to)
    await world.records.write((tx) => linkBlob(tx, target.id, blob.id, world.clock.now))
    model.promised.set(`${to} ${blob.digest}`, world.clock.now + graceMs)
  }
}

function touch(name: string, text: string): Step {
  return async (world, model) => {
    const blob = await world.blobs.find(name, digestOfBytes(text))
    if (blob === undefined) return
    assert.equal(await world.blobs.touch(blob), true)
    model.promised.set(`${name} ${blob.digest}`, world.clock.now + graceMs)
  }
}

async function holds(world: World, model: Model): Promise<void> {
  for (const [key, bytes] of model.held) await readable(world, key.split(' ')[0] ?? '', bytes)
  for (const [key, until] of model.promised) {
    const [name = '', digest = ''] = key.split(' ')
    if (until > world.clock.now) assert.ok((await world.blobs.find(name, digest as Digest)) !== undefined, `${key} was promised`)
  }
}

async function nothingElseIsLeft(world: World, model: Model): Promise<void> {
  world.clock.now += graceMs * 2
  await collectIn(world)
  await holds(world, model)
  const needed = new Set(
    [...model.held.values()].flatMap((bytes) => {
      const { config, layers: parts } = JSON.parse(bytes.toString()) as { config: { digest: string }; layers: { digest: string }[] }
      return [config.digest, ...parts.map((part) => part.digest)]
    }),
  )
  const kept = await world.records.read.selectFrom('blobs').select('digest').execute()
  assert.deepEqual(new Set(kept.map((row) => row.digest)), needed)
  assert.equal((await world.files()).length, needed.size)
  const manifests = await world.records.read.selectFrom('manifests').select('digest').execute()
  assert.deepEqual(new Set(manifests.map((row) => row.digest)), new Set([...model.held.keys()].map((key) => key.split(' ')[1])))
}
