import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Digest } from '../../model/digest.ts'
import { mediaTypes } from '../../model/manifest.ts'
import type { OpenRecords } from './records.ts'
import {
  artifactJson,
  descriptor,
  digestOfBytes,
  imageJson,
  indexJson,
  openWorld,
  pushBlob,
  pushImage,
  pushManifest,
  repository,
  type World,
} from './world.ts'

/** What `acceptManifest` takes in, and what it leaves when it does not. */
export function acceptSuite(implementation: string, open: OpenRecords): void {
  describe(`taking manifests in over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    test('an image: its parts, tags and job are there together', async () => {
      const world = await openWorld(stack, open)
      const pushed = await pushImage(world, 'shop/api', ['1.0', 'latest'], ['one', 'two'])
      const held = await world.manifests.byTag('shop/api', '1.0')
      assert.deepEqual(
        [held?.digest, held?.kind, held?.mediaType, held?.sizeBytes],
        [pushed.digest, 'image', mediaTypes.ociManifest, pushed.bytes.length],
      )
      assert.ok(Buffer.from(held?.content ?? []).equals(pushed.bytes))
      assert.deepEqual([held?.decision, held?.validUntil, held?.reasons], [null, null, null])
      assert.equal((await world.manifests.byDigest('shop/api', pushed.digest))?.id, held?.id)
      const parts = await world.records.read.selectFrom('manifest_blobs').select(['role', 'blob_digest']).orderBy('position').execute()
      assert.deepEqual(
        parts.map((row) => row.role),
        ['config', 'layer', 'layer'],
      )
      assert.deepEqual(
        parts.slice(1).map((row) => row.blob_digest),
        [digestOfBytes('one'), digestOfBytes('two')],
      )
      assert.deepEqual(await examined(world), [pushed.digest])
    })

    test('what is missing is named, config and layers and children, and nothing is left of it', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['one', 'two'])
      await missing(world, pushManifest(world, 'shop/api', json), [blobs[0] ?? ''])
      await pushBlob(world, 'shop/api', blobs[0] ?? '')
      await missing(world, pushManifest(world, 'shop/api', json, { tags: ['t'] }), ['one', 'two'])
      await pushBlob(world, 'shop/other', 'one')
      await missing(world, pushManifest(world, 'shop/api', json), ['one', 'two'])
      await missing(world, pushManifest(world, 'shop/api', indexJson([descriptor(mediaTypes.ociManifest, 'child')])), ['child'])
      await pushBlob(world, 'shop/api', 'child')
      await missing(world, pushManifest(world, 'shop/api', indexJson([descriptor(mediaTypes.ociManifest, 'child')])), ['child'])
    })

    test('many that are missing are counted, and the first are named', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(Array.from({ length: 1200 }, (_, at) => `layer ${at}`))
      await pushBlob(world, 'shop/api', blobs[0] ?? '')
      await assert.rejects(
        pushManifest(world, 'shop/api', json),
        (error: { detail: unknown[]; message: string }) => /and 1199 more/.test(error.message) && error.detail.length === 20,
      )
    })

    test('layers that may stay elsewhere need not be here', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['here'])
      const foreign = [
        descriptor('application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'far'),
        descriptor('application/vnd.oci.image.layer.nondistributable.v1.tar', 'away'),
      ]
      const pushed = await pushManifest(world, 'shop/api', { ...json, layers: [...(json['layers'] as object[]), ...foreign] }, { blobs })
      assert.equal((await world.manifests.byDigest('shop/api', pushed.digest))?.kind, 'image')
    })

    test('a subject need not be here, and is kept', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = artifactJson('text/x', ['f'], { subject: descriptor(mediaTypes.ociManifest, 'nowhere') })
      const pushed = await pushManifest(world, 'shop/api', json, { blobs })
      assert.equal((await world.manifests.byDigest('shop/api', pushed.digest))?.subject, digestOfBytes('nowhere'))
    })

    test('an index lists images, attestations and indexes', async () => {
      const world = await openWorld(stack, open)
      const [amd, arm] = [await pushImage(world, 'shop/api'), await pushImage(world, 'shop/api')]
      const note = await pushImage(world, 'shop/api')
      const attests = (of: string) => ({ 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': of })
      const inner = await pushManifest(
        world,
        'shop/api',
        indexJson([{ ...amd.descriptor, platform: { os: 'linux', architecture: 'amd64' } }]),
      )
      const outer = await pushManifest(
        world,
        'shop/api',
        indexJson([
          inner.descriptor,
          { ...arm.descriptor, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } },
          { ...note.descriptor, annotations: attests(arm.digest) },
          { ...note.descriptor, annotations: attests('no digest\0') },
        ]),
      )
      const held = await world.manifests.byDigest('shop/api', outer.digest)
      assert.equal(held?.kind, 'index')
      const rows = await world.records.read
        .selectFrom('manifest_children')
        .select(['child_digest', 'platform', 'attests'])
        .where('manifest_id', '=', held.id)
        .orderBy('position')
        .execute()
      assert.deepEqual(
        rows.map((row) => [row.child_digest, row.platform, row.attests]),
        [
          [inner.digest, null, null],
          [arm.digest, 'linux/arm/v7', null],
          [note.digest, null, arm.digest],
          [note.digest, null, null],
        ],
      )
    })

    test('kinds, by content', async () => {
      const world = await openWorld(stack, open)
      const kind = async (json: Parameters<typeof pushManifest>[2], blobs: string[]) => {
        const { digest } = await pushManifest(world, 'shop/api', json, { blobs })
        return (await world.manifests.byDigest('shop/api', digest))?.kind
      }
      const { json, blobs } = imageJson(['layer'])
      const disguised = {
        ...json,
        artifactType: 'application/vnd.acme.note',
        config: descriptor('application/vnd.acme.note', blobs[0] ?? ''),
      }
      assert.equal(await kind(json, blobs), 'image')
      assert.equal(await kind(disguised, blobs), 'image')
      const artifact = artifactJson('application/spdx+json', ['sbom'])
      assert.equal(await kind(artifact.json, artifact.blobs), 'artifact')
      const cacheConfig = '{"layers":[],"records":[]}'
      const cacheManifest = { ...json, config: descriptor(mediaTypes.buildkitCacheConfig, cacheConfig) }
      assert.equal(await kind(cacheManifest, [cacheConfig, 'layer']), 'cache')
      const cacheIndex = indexJson([
        descriptor('application/vnd.oci.image.layer.v1.tar+gzip', 'layer'),
        descriptor(mediaTypes.buildkitCacheConfig, cacheConfig),
      ])
      assert.equal(await kind(cacheIndex, ['layer', cacheConfig]), 'cache')
      assert.equal(await kind(indexJson([]), []), 'index')
    })

    test('a digest that is named must be right, and its algorithm is kept', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      const bytes = Buffer.from(JSON.stringify(json))
      await assert.rejects(pushManifest(world, 'shop/api', json, { blobs, expected: digestOfBytes('other') }), { code: 'DIGEST_INVALID' })
      const expected = digestOfBytes(bytes, 'sha512')
      assert.equal((await pushManifest(world, 'shop/api', json, { expected })).digest, expected)
      assert.equal(await world.manifests.byDigest('shop/api', digestOfBytes(bytes)), undefined)
    })

    test('twice, and in two repositories: one manifest, a link each, a job while none waits', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      const first = await pushManifest(world, 'a', json, { blobs, tags: ['x'] })
      world.clock.now += 1000
      await pushManifest(world, 'a', json, { tags: ['y'], principal: 'robot:ci' })
      await pushManifest(world, 'b', json, { blobs, tags: ['x'] })
      const [one, other] = [await world.manifests.byTag('a', 'y'), await world.manifests.byTag('b', 'x')]
      assert.equal(one?.id, other?.id)
      assert.notEqual(one?.repositoryId, other?.repositoryId)
      assert.equal(await world.manifests.byTag('b', 'y'), undefined)
      assert.deepEqual(await examined(world), [first.digest])
      const links = await world.records.read
        .selectFrom('manifest_links')
        .select(['pushed_by', 'pushed_at'])
        .orderBy('repository_id')
        .execute()
      assert.deepEqual(
        links.map((row) => [row.pushed_by, row.pushed_at]),
        [
          ['robot:ci', world.clock.now],
          ['user:dev', world.clock.now],
        ],
      )
    })

    test('by many at once, with tags in any order', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      for (const name of ['a', 'b']) for (const blob of blobs) await pushBlob(world, name, blob)
      const tags = ['1', '2', '3', '4']
      const pushes = Array.from({ length: 16 }, (_, at) =>
        pushManifest(world, at % 2 === 0 ? 'a' : 'b', json, { tags: at % 3 === 0 ? tags : tags.toReversed() }),
      )
      const digests = new Set((await Promise.all(pushes)).map((pushed) => pushed.digest))
      assert.equal(digests.size, 1)
      const rows = await world.records.read.selectFrom('manifest_blobs').select('position').execute()
      assert.equal(rows.length, 2)
      assert.equal((await world.records.read.selectFrom('tags').select('name').execute()).length, 8)
    })

    test('a push while the same is being deleted: it is whole, or it is gone', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      const { digest, repositoryId } = await pushManifest(world, 'a', json, { blobs, tags: ['t'] })
      for (let round = 0; round < 15; round++) {
        await Promise.all([
          pushManifest(world, 'a', json, { tags: ['t'] }),
          world.manifests.deleteManifest(repositoryId, digest, world.clock.now),
        ])
        const held = await world.manifests.byDigest('a', digest)
        const standings = await world.manifests.standingsOfBlob(repositoryId, digestOfBytes('layer'), world.clock.now)
        assert.equal(standings.length, held === undefined ? 0 : 1)
        assert.equal((await world.manifests.byTag('a', 't'))?.id, held?.id)
      }
    })

    test('refused where it is malformed, before anything is made', async () => {
      const world = await openWorld(stack, open)
      const { json } = imageJson(['layer'])
      await assert.rejects(pushManifest(world, 'new/one', { ...json, schemaVersion: 1 }), {
        code: 'MANIFEST_INVALID',
        detail: { where: 'schemaVersion' },
      })
      assert.deepEqual(await world.manifests.repositories('', 10), [])
    })

    test('annotations with any text', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = artifactJson('text/x', [], {
        annotations: { 'nul\0': 'a\0b', half: '\ud800', emoji: '\u{1F600}' },
        subject: descriptor(mediaTypes.ociManifest, 's'),
      })
      const { repositoryId } = await pushManifest(world, 'a', json, { blobs })
      const { items } = await world.manifests.referrers(repositoryId, digestOfBytes('s'), { after: '', most: 10, mostBytes: 1e6 })
      assert.deepEqual(JSON.parse(items[0]?.annotations ?? ''), { 'nul\0': 'a\0b', half: '\ud800', emoji: '\u{1F600}' })
    })
  })
}

async function missing(world: World, push: Promise<unknown>, parts: string[]): Promise<void> {
  const detail = parts.map((part) => ({ digest: digestOfBytes(part) }))
  await assert.rejects(push, { code: 'MANIFEST_BLOB_UNKNOWN', detail })
  assert.deepEqual(await examined(world), [])
  assert.equal((await world.records.read.selectFrom('manifests').select('id').execute()).length, 0)
  assert.deepEqual(await world.manifests.tags((await repository(world, 'shop/api')).id, '', 10), [])
}

async function examined(world: World): Promise<Digest[]> {
  const rows = await world.records.read.selectFrom('jobs').select('subject').where('kind', '=', 'examine').execute()
  return rows.map((row) => row.subject as Digest)
}
