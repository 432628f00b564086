import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Digest } from '../../model/digest.ts'
import {
  baseChainOf,
  chainIdsOf,
  chainState,
  holdersOfChain,
  lowestLayers,
  mostChained,
  recordChain,
  recordEarlierChains,
  wholeChainOf,
} from '../chains.ts'
import { addJob, claimJobs } from '../jobs/jobs.ts'
import type { OpenRecords } from './records.ts'
import { digestOfBytes, imageJson, openWorld, pushImage, pushManifest, type Pushed, type World } from './world.ts'

export function chainsSuite(implementation: string, open: OpenRecords): void {
  describe(`chains of layers over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())
    const begin = () => openWorld(stack, open)

    test('a ChainID is that of the specification', () => {
      const [a, b, c] = ['a', 'b', 'c'].map((letter) => `sha256:${letter.repeat(64)}`) as [string, string, string]
      // printf '%s %s' A B | sha256sum, and that with C
      assert.deepEqual(chainIdsOf([a, b, c]), [a, chainAB, chainABC])
      assert.deepEqual(chainIdsOf([]), [])
    })

    test('the base is the longest run of lowest layers that is another image whole', async () => {
      const world = await begin()
      const debian = await known(world, 'library/debian', ['A'])
      await known(world, 'library/other', ['A', 'X'])
      const node = await known(world, 'library/node', ['A', 'B'])
      const api = await known(world, 'shop/api', ['A', 'B', 'C'])
      await known(world, 'shop/debug', ['A', 'B', 'C', 'D'])
      assert.deepEqual(await baseOf(world, api), { depth: 2, holders: ['library/node'] })
      assert.deepEqual(await baseOf(world, node), { depth: 1, holders: ['library/debian'] })
      assert.equal(await baseOf(world, debian), undefined)
      assert.deepEqual(await lowestLayers(world.records, await idOf(world, api), 2), [diffOf('A'), diffOf('B')])
    })

    test('layers in another order, or from the second on, are no base', async () => {
      const world = await begin()
      await known(world, 'a', ['B', 'A'])
      await known(world, 'b', ['B'])
      assert.equal(await baseOf(world, await known(world, 'c', ['A', 'B', 'C'])), undefined)
    })

    test('an image with the very same layers is no base, nor is the image its own', async () => {
      const world = await begin()
      const [one, other] = [await known(world, 'a', ['A', 'B']), await known(world, 'b', ['A', 'B'], { note: 'another' })]
      assert.notEqual(one.digest, other.digest)
      assert.equal(await baseOf(world, one), undefined)
      const top = await known(world, 'c', ['A', 'B', 'B'])
      assert.deepEqual(await baseOf(world, top), { depth: 2, holders: ['a', 'b'] })
    })

    test('what no repository holds any more is no base', async () => {
      const world = await begin()
      const base = await known(world, 'base', ['A'])
      const app = await known(world, 'app', ['A', 'B'])
      assert.equal((await baseOf(world, app))?.depth, 1)
      await world.manifests.deleteManifest(base.repositoryId, base.digest, world.clock.now)
      assert.equal(await baseOf(world, app), undefined)
      await world.records.write((tx) => tx.deleteFrom('manifests').where('digest', '=', base.digest).execute())
      const left = await world.records.read.selectFrom('image_chains').select('manifest_id').distinct().execute()
      assert.equal(left.length, 1, 'its chain goes with it')
    })

    test('a layer that could not be read ends the chain: below it the base is known, and it is no base itself', async () => {
      const world = await begin()
      await known(world, 'base', ['A'])
      const torn = await known(world, 'torn', ['A', 'B', '?', 'D'])
      assert.deepEqual(await baseOf(world, torn), { depth: 1, holders: ['base'] })
      assert.deepEqual(await chainState(world.records, await idOf(world, torn)), { depth: 2, whole: false })
      assert.equal(await wholeChainOf(world.records, await idOf(world, torn)), undefined)
      const above = await known(world, 'above', ['A', 'B', 'C'])
      assert.deepEqual(await baseOf(world, above), { depth: 1, holders: ['base'] })
      await read(world, ['?'], 'later')
      await world.records.write(async (tx) => recordChain(tx, await idOf(world, torn)))
      assert.deepEqual(await chainState(world.records, await idOf(world, torn)), { depth: 4, whole: true })
    })

    test('twice the same is once, and an image of too many layers has no chain', async () => {
      const world = await begin()
      const image = await known(world, 'a', ['A', 'B'])
      const id = await idOf(world, image)
      await world.records.write((tx) => recordChain(tx, id))
      assert.deepEqual(await chainState(world.records, id), { depth: 2, whole: true })
      const { json, blobs } = imageJson(['A'])
      const layer = (json['layers'] as object[])[0]
      const long = { ...json, layers: Array.from({ length: mostChained + 1 }, () => layer) }
      const many = await pushManifest(world, 'a', long, { blobs })
      await world.records.write(async (tx) => recordChain(tx, await idOf(world, many)))
      assert.deepEqual(await chainState(world.records, await idOf(world, many)), { depth: 0, whole: false })
    })

    test('images from before are gone over in steps, each a job', async () => {
      const world = await begin()
      for (let at = 0; at < 101; at++) await pushImage(world, 'a', [], ['A', `B${at}`])
      await read(world, ['A', ...Array.from({ length: 101 }, (_, at) => `B${at}`)])
      await world.records.write((tx) => tx.deleteFrom('jobs').execute())
      await world.records.write((tx) => addJob(tx, 'chains', '0', world.clock.now))
      const done: string[] = []
      for (;;) {
        const [job] = await claimJobs(world.records, ['chains'], 1, world.clock.now)
        if (job === undefined) break
        done.push(job.subject)
        await recordEarlierChains(world.records, job.subject, job.id, world.clock.now)
      }
      assert.equal(done.length, 2)
      assert.equal((await world.records.read.selectFrom('image_chains').select('chain').where('whole', '=', 1).execute()).length, 101)
      assert.deepEqual(await world.records.read.selectFrom('jobs').select('id').execute(), [])
    })
  })
}

const chainAB = 'sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c'
const chainABC = 'sha256:c1377126441fb2f5ec2c21ae2a60255331d639e830f0ee1b40a36e52d4c40588'

const diffOf = (layer: string) => digestOfBytes(`uncompressed ${layer}`)

/** As a reading of the bytes leaves it; one that begins with `?` could not be read, unless it is said how it is now. */
async function read(world: World, layers: string[], later?: string): Promise<void> {
  for (const layer of layers) {
    const isRead = later !== undefined || !layer.startsWith('?')
    const row = {
      state: isRead ? 'layer' : 'unreadable',
      diff_id: isRead ? diffOf(layer) : null,
      problem: null,
      read_at: 0,
      extractors: 'x',
    }
    await world.records.write((tx) =>
      tx
        .insertInto('blob_layers')
        .values({ blob_digest: digestOfBytes(layer), ...row })
        .onConflict((conflict) => conflict.column('blob_digest').doUpdateSet(row))
        .execute(),
    )
  }
}

async function known(world: World, repository: string, layers: string[], more: { note?: string } = {}): Promise<Pushed> {
  const { json, blobs } = imageJson(layers)
  const annotations = more.note === undefined ? {} : { annotations: { note: more.note } }
  const pushed = await pushManifest(world, repository, { ...json, ...annotations }, { blobs })
  await read(world, layers)
  await world.records.write(async (tx) => recordChain(tx, await idOf(world, pushed, tx)))
  return pushed
}

async function idOf(world: World, { digest }: Pushed, tx = world.records.read): Promise<number> {
  return (await tx.selectFrom('manifests').select('id').where('digest', '=', digest).executeTakeFirstOrThrow()).id
}

async function baseOf(world: World, image: Pushed): Promise<{ depth: number; holders: string[] } | undefined> {
  const base = await baseChainOf(world.records, await idOf(world, image))
  if (base === undefined) return undefined
  const holders = await holdersOfChain(world.records, base.chain as Digest, { manifestId: 0, repositoryId: 0 }, 100)
  return { depth: base.depth, holders: holders.map(({ repository }) => repository) }
}
