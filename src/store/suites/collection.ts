import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { linkBlob } from '../blobs/blobs.ts'
import { collect } from '../collection/collection.ts'
import { listDeleted, putBack } from '../collection/deleted.ts'
import { nothingFreed, type CollectionParts, type Freed } from '../collection/parts.ts'
import { beginRun, breakRuns, endRun, findRun, keepRun, listRuns, runLeaseMs } from '../collection/runs.ts'
import { chunks } from '../objects/suite.ts'
import type { OpenRecords } from './records.ts'
import { digestOfBytes, imageJson, openWorld, ownerIn, pushBlob, pushImage, pushManifest, repository, type World } from './world.ts'

export const graceMs = 100_000

export function partsOf(world: World): CollectionParts {
  return { records: world.records, objects: world.objects, uploads: world.uploads, graceMs, now: () => world.clock.now }
}

export function collectIn(world: World, more: Partial<CollectionParts> = {}): Promise<Freed> {
  return collect({ ...partsOf(world), ...more }, { dryRun: false })
}

export function collectionSuite(implementation: string, open: OpenRecords): void {
  describe(`collection over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    test('a blob that no manifest holds goes after the grace, once, with what was found in it', async () => {
      const world = await openWorld(stack, open)
      const blob = await pushBlob(world, 'shop/api', 'orphan')
      const kept = await pushImage(world, 'shop/api', ['1'])
      await layerRead(world, blob.digest, 'diff')
      world.clock.now += graceMs - 1
      assert.deepEqual(await collectIn(world), nothingFreed)
      world.clock.now += 1
      const foreseen = await collect(partsOf(world), { dryRun: true })
      assert.ok((await world.blobs.find('shop/api', blob.digest)) !== undefined, 'a dry run leaves it')
      const freed = await collectIn(world)
      assert.deepEqual(freed, { ...nothingFreed, links: 1, blobs: 1, objects: 1, bytes: 6 })
      assert.deepEqual(foreseen, freed)
      assert.equal(await world.blobs.findAnywhere(blob.digest), undefined)
      assert.equal((await world.files()).length, 2)
      assert.deepEqual(await world.records.read.selectFrom('layers').select('diff_id').execute(), [])
      assert.ok((await world.manifests.byDigest('shop/api', kept.digest)) !== undefined)
      assert.deepEqual(await collectIn(world), nothingFreed)
    })

    test('facts of a layer stay while another blob holds the same layer', async () => {
      const world = await openWorld(stack, open)
      const one = await pushBlob(world, 'a', 'gzip')
      await layerRead(world, one.digest, 'same')
      world.clock.now += graceMs
      const other = await pushBlob(world, 'a', 'zstd')
      await layerRead(world, other.digest, 'same')
      assert.equal((await collectIn(world)).blobs, 1)
      assert.equal((await world.records.read.selectFrom('layers').select('diff_id').execute()).length, 1)
    })

    test('a base layer stays while any repository needs it, and each repository keeps its own word', async () => {
      const world = await openWorld(stack, open)
      const here = await pushImage(world, 'a', ['1'], ['base', 'top'])
      await pushImage(world, 'b', ['1'], ['base', 'other'])
      await world.manifests.deleteManifest(here.repositoryId, here.digest, world.clock.now)
      world.clock.now += graceMs
      const freed = await collectIn(world)
      assert.deepEqual({ links: freed.links, blobs: freed.blobs, manifests: freed.manifests }, { links: 3, blobs: 2, manifests: 1 })
      assert.equal(await world.blobs.find('a', digestOfBytes('base')), undefined)
      assert.ok((await world.blobs.find('b', digestOfBytes('base'))) !== undefined)
      assert.deepEqual(await world.records.read.selectFrom('manifests').select('id').where('digest', '=', here.digest).execute(), [])
    })

    test('package versions go with the last image that holds them', async () => {
      const world = await openWorld(stack, open)
      const [one, two] = [await pushImage(world, 'a'), await pushImage(world, 'a')]
      await packagesIn(world, one.digest, ['shared', 'own'])
      await packagesIn(world, two.digest, ['shared'])
      await world.manifests.deleteManifest(one.repositoryId, one.digest, world.clock.now)
      world.clock.now += graceMs
      assert.equal((await collectIn(world)).manifests, 1)
      const left = await world.records.read.selectFrom('package_versions').select('name').execute()
      assert.deepEqual(
        left.map((row) => row.name),
        ['shared'],
      )
    })

    test('an untagged manifest stays', async () => {
      const world = await openWorld(stack, open)
      const image = await pushImage(world, 'a')
      world.clock.now += graceMs * 3
      assert.deepEqual(await collectIn(world), nothingFreed)
      assert.ok((await world.manifests.byDigest('a', image.digest)) !== undefined)
    })

    test('who was told that a blob is here has the grace anew: by HEAD, by mount, by a push of the same', async () => {
      const world = await openWorld(stack, open)
      const blob = await pushBlob(world, 'a', 'layer')
      const a = await repository(world, 'a')
      const ways = [
        async () => assert.equal(await world.blobs.touch((await world.blobs.find('a', blob.digest)) ?? assert.fail()), true),
        () => world.records.write((tx) => linkBlob(tx, a.id, blob.id, world.clock.now)),
        async () => void (await pushBlob(world, 'a', 'layer')),
      ]
      for (const way of ways) {
        world.clock.now += graceMs - 1
        await way()
        world.clock.now += 2
        await collectIn(world)
        assert.ok((await world.blobs.findAnywhere(blob.digest)) !== undefined)
      }
      world.clock.now += graceMs
      assert.equal((await collectIn(world)).blobs, 1)
      assert.equal(await world.blobs.touch({ ...blob, repositoryId: a.id, linkedAt: 0 }), false, 'a link that is gone is not touched')
    })

    test('a blob that is deleted by a client stays for the grace, and comes back by a push', async () => {
      const world = await openWorld(stack, open)
      const blob = await pushBlob(world, 'a', 'layer')
      world.clock.now += graceMs / 2
      await world.blobs.unlink((await repository(world, 'a')).id, blob.digest)
      world.clock.now += graceMs - 1
      assert.equal((await collectIn(world)).blobs, 0)
      assert.equal((await pushBlob(world, 'a', 'layer')).objectKey, blob.objectKey)
      world.clock.now += 1
      assert.deepEqual({ ...(await collectIn(world)), uploads: 0 }, nothingFreed)
      assert.ok((await world.blobs.find('a', blob.digest)) !== undefined)
    })

    test('a manifest that was deleted is put back with its tags, by whom and for whom is known, until the grace is over', async () => {
      const world = await openWorld(stack, open)
      const image = await pushImage(world, 'a', ['1', '2', '3'])
      const a = await repository(world, 'a')
      world.clock.now += graceMs * 2
      await collectIn(world)
      await world.manifests.deleteManifest(a.id, image.digest, world.clock.now, {
        actor: { principal: 'user:dev', address: 'local' },
        at: world.clock.now,
        immutableTags: undefined,
      })
      const other = await pushImage(world, 'a', ['2'])
      const since = () => world.clock.now - graceMs
      assert.deepEqual(await listDeleted(world.records, { since: since(), most: 10 }), [
        { repository: 'a', digest: image.digest, tags: ['1', '2', '3'], deletedAt: world.clock.now, deletedBy: 'user:dev' },
      ])
      world.clock.now += graceMs - 1
      await collectIn(world)
      const back = () => world.records.write((tx) => putBack(tx, a, image.digest, since(), 'user:ops', world.clock.now))
      assert.deepEqual(await back(), ['1', '3'])
      assert.equal((await world.manifests.byTag('a', '2'))?.digest, other.digest)
      await assert.rejects(back(), { code: 'NOT_FOUND' })
      assert.deepEqual(await listDeleted(world.records, { since: since(), most: 10 }), [])
      await readable(world, 'a', image.bytes)
      world.clock.now += graceMs * 2
      await collectIn(world)
      await readable(world, 'a', image.bytes)
      await world.manifests.deleteManifest(a.id, image.digest, world.clock.now)
      world.clock.now += graceMs
      await assert.rejects(back(), { code: 'NOT_FOUND' })
    })

    test('a manifest that was pushed again, or lost a blob, is not put back', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      const image = await pushManifest(world, 'a', json, { blobs })
      const a = await repository(world, 'a')
      const back = () => world.records.write((tx) => putBack(tx, a, image.digest, world.clock.now - graceMs, 'user:ops', world.clock.now))
      await world.manifests.deleteManifest(a.id, image.digest, world.clock.now)
      await pushManifest(world, 'a', json)
      assert.deepEqual(await listDeleted(world.records, { since: 0, most: 10 }), [])
      await assert.rejects(back(), { code: 'CONFLICT', message: /already/ })
      await world.manifests.deleteManifest(a.id, image.digest, world.clock.now)
      await world.blobs.unlink(a.id, digestOfBytes('layer'))
      await assert.rejects(back(), { code: 'CONFLICT', message: new RegExp(digestOfBytes('layer')) })
      assert.equal(await world.manifests.byDigest('a', image.digest), undefined)
    })

    test('an upload that nobody ended goes, and so does one whose digest was here already', async () => {
      const world = await openWorld(stack, open)
      const owner = await ownerIn(world, 'a')
      const id = await world.uploads.start(owner)
      await world.uploads.append(id, owner, chunks([Buffer.from('half')]))
      await world.uploads.close() // as a crash leaves it
      world.clock.now += graceMs * 100
      assert.equal((await world.files()).length, 1)
      assert.equal((await collectIn(world)).uploads, 1)
      assert.deepEqual(await world.files(), [])
    })

    test('what a crash leaves between the records and the object is removed by the next', async () => {
      const world = await openWorld(stack, open)
      for (const text of ['one', 'two', 'three']) await pushBlob(world, 'a', text)
      world.clock.now += graceMs
      let removals = 0
      const crashing = {
        ...world.objects,
        remove: (key: string) => (++removals === 2 ? Promise.reject(new Error('the power went')) : world.objects.remove(key)),
      }
      await assert.rejects(collectIn(world, { objects: crashing }), /the power went/)
      assert.equal(await world.blobs.findAnywhere(digestOfBytes('one')), undefined)
      assert.equal((await world.files()).length, 2)
      const freed = await collectIn(world)
      assert.deepEqual([freed.objects, freed.bytes], [3, 11], 'what was removed before the crash is counted by who ends it')
      assert.deepEqual(await world.files(), [])
      assert.deepEqual(await world.records.read.selectFrom('dead_objects').selectAll().execute(), [])
    })

    test('a manifest is accepted whole or not at all while its blobs are collected', async () => {
      const world = await openWorld(stack, open)
      for (let round = 0; round < 6; round++) {
        const { json, blobs } = imageJson([`layer ${round}`])
        for (const blob of blobs) await pushBlob(world, 'a', blob)
        world.clock.now += graceMs
        const [pushed] = await Promise.allSettled([pushManifest(world, 'a', json), collectIn(world)])
        if (pushed.status === 'fulfilled') await readable(world, 'a', pushed.value.bytes)
        else assert.equal((pushed.reason as { code?: string }).code, 'MANIFEST_BLOB_UNKNOWN')
        await collectIn(world)
        if (pushed.status === 'fulfilled') await readable(world, 'a', pushed.value.bytes)
      }
    })

    test('a blob that is pushed while it is collected is here in the end', async () => {
      const world = await openWorld(stack, open)
      for (let round = 0; round < 6; round++) {
        await pushBlob(world, 'a', 'again and again')
        world.clock.now += graceMs
        const [blob] = await Promise.all([pushBlob(world, 'b', 'again and again'), collectIn(world)])
        assert.equal((await (await world.blobs.read(blob)).toArray()).join(''), 'again and again')
        assert.equal((await world.blobs.find('b', blob.digest))?.objectKey, blob.objectKey)
      }
    })

    test('one collection runs at a time; one that died is told of, and the next goes on', async () => {
      const world = await openWorld(stack, open)
      const { records, clock } = world
      const run = { by: 'user:admin', dryRun: false }
      const [first, second] = await Promise.all([beginRun(records, run, clock.now), beginRun(records, run, clock.now)])
      assert.equal([first, second].filter((id) => id === undefined).length, 1)
      const id = first ?? second ?? 0
      assert.equal(await keepRun(records, id, { ...nothingFreed, blobs: 2 }, clock.now), true)
      clock.now += runLeaseMs + 1
      const next = await beginRun(records, run, clock.now)
      assert.ok(next !== undefined)
      assert.equal(await keepRun(records, id, nothingFreed, clock.now), false)
      const died = await findRun(records, id)
      assert.deepEqual([died?.state, died?.freed.blobs, died?.problem], ['broken', 2, 'its server ended'])
      await endRun(records, next, { freed: { ...nothingFreed, blobs: 3 } }, clock.now)
      const third = (await beginRun(records, run, clock.now)) ?? 0
      await endRun(records, third, { problem: 'no disk' }, clock.now)
      assert.deepEqual(
        (await listRuns(records, 10)).map((one) => [one.state, one.freed.blobs, one.problem]),
        [
          ['broken', 0, 'no disk'],
          ['ended', 3, undefined],
          ['broken', 2, 'its server ended'],
        ],
      )
      await beginRun(records, run, clock.now)
      await breakRuns(records, clock.now)
      assert.equal((await listRuns(records, 1))[0]?.state, records.kind === 'sqlite' ? 'broken' : 'running')
    })

    test('it stops where it is told to, and says so', async () => {
      const world = await openWorld(stack, open)
      await pushBlob(world, 'a', 'layer')
      world.clock.now += graceMs
      await assert.rejects(collect(partsOf(world), { dryRun: false, signal: AbortSignal.abort(new Error('stopping')) }), /stopping/)
      assert.equal((await world.files()).length, 1)
    })
  })
}

async function packagesIn(world: World, digest: string, names: string[]): Promise<void> {
  await world.records.write(async (tx) => {
    const manifest = await tx.selectFrom('manifests').select('id').where('digest', '=', digest).executeTakeFirstOrThrow()
    for (const [position, name] of names.entries()) {
      const version = { ecosystem: 'npm', name, version: '1' }
      await tx
        .insertInto('package_versions')
        .values(version)
        .onConflict((conflict) => conflict.columns(['ecosystem', 'name', 'version']).doNothing())
        .execute()
      const { id } = await tx.selectFrom('package_versions').select('id').where('name', '=', name).executeTakeFirstOrThrow()
      const row = { kind: 'npm', name, version: '1', purl: `pkg:npm/${name}@1`, location: '', layer: '' }
      await tx
        .insertInto('image_packages')
        .values({ manifest_id: manifest.id, position, package_version_id: id, ...row })
        .execute()
    }
  })
}

async function layerRead(world: World, digest: string, diffId: string): Promise<void> {
  await world.records.write(async (tx) => {
    await tx
      .insertInto('layers')
      .values({ diff_id: diffId, extractors: 'x', size: 1, facts: Buffer.from('{}'), created_at: 0 })
      .onConflict((conflict) => conflict.columns(['diff_id', 'extractors']).doNothing())
      .execute()
    await tx
      .insertInto('blob_layers')
      .values({ blob_digest: digest, state: 'layer', diff_id: diffId, read_at: 0, problem: null, extractors: 'x' })
      .execute()
  })
}

/** A manifest is here, and every byte that it names. */
export async function readable(world: World, name: string, manifest: Buffer): Promise<void> {
  assert.ok((await world.manifests.byDigest(name, digestOfBytes(manifest))) !== undefined, 'the manifest is here')
  const { config, layers } = JSON.parse(manifest.toString()) as { config: { digest: string }; layers: { digest: string }[] }
  for (const { digest } of [config, ...layers]) {
    const blob = await world.blobs.find(name, digest as never)
    assert.ok(blob !== undefined, `${digest} is here`)
    assert.equal(digestOfBytes(Buffer.concat(await (await world.blobs.read(blob)).toArray())), digest)
  }
}
