// Indexes, attestations and build caches.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mediaTypes } from '../../../src/model/manifest.ts'
import { attestedIndex, cacheImage, cacheIndex } from '../../support/buildkit.ts'
import { type Content, contentOf, type ContentDescriptor } from '../../support/content.ts'
import { indexOf, indexOfDescriptors } from '../../support/images.ts'
import type { Asker } from '../support/asker.ts'
import { cleanImage, cleanLayer, heldImage, heldLayer, partsOf } from '../support/images.ts'
import { expectError, expectHeld, expectOk } from '../support/shapes.ts'
import type { Records, World } from '../support/world.ts'

export function indexSuite({ name: where, open }: Records): void {
  describe(`indexes and caches, over ${where}`, () => {
    let world: World
    let puller: Asker
    let developer: Asker

    before(async () => {
      world = await open()
      puller = await world.addRobot('puller', 'pull=shop/**')
      developer = await world.addRobot('developer', 'pull=shop/**', 'push=shop/**', 'delete=shop/**')
    })
    after(() => world[Symbol.asyncDispose]())

    test("BuildKit's attested index is allowed with its child, and its attestations follow the child", async () => {
      const good = attestedIndex(await cleanImage('attested'))
      assert.equal(await world.push('shop/attested', good, 'good'), 'allow')
      for (const [digest, manifest] of good.manifests)
        assert.deepEqual(expectOk(await puller.get(`/v2/shop/attested/manifests/${digest}`)).body, manifest.bytes)
      for (const [digest, bytes] of good.blobs)
        assert.deepEqual(expectOk(await puller.get(`/v2/shop/attested/blobs/${digest}`)).body, bytes)
      const bad = attestedIndex(await heldImage('attested-held'))
      assert.equal(await world.push('shop/attested', bad, 'bad'), 'deny')
      for (const digest of bad.manifests.keys()) expectHeld(await puller.get(`/v2/shop/attested/manifests/${digest}`))
      for (const digest of bad.blobs.keys()) expectHeld(await puller.get(`/v2/shop/attested/blobs/${digest}`))
    })

    test('a real image declared as the attestation of a clean child stays denied, in any order of pushes', async () => {
      for (const order of ['image first', 'index first']) {
        const [good, bad] = [await cleanImage(order), await heldImage(order)]
        const index = claimedAttestation(good, bad, good.root.digest)
        const repository = `shop/claimed-${order.replace(' ', '-')}`
        if (order === 'image first') assert.equal(await world.push(repository, bad), 'deny')
        assert.equal(await world.push(repository, index, '1'), 'allow')
        assert.equal(await world.push(repository, bad), 'deny')
        expectHeld(await puller.get(`/v2/${repository}/manifests/${bad.root.digest}`))
        for (const layer of partsOf(bad).layers.slice(1)) expectHeld(await puller.get(`/v2/${repository}/blobs/${layer}`))
      }
    })

    test('an index of nothing but claimed attestations hands out nothing', async () => {
      const [bad, other] = [await heldImage('only'), await heldImage('other')]
      const annotations = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': other.root.digest }
      const index = indexOfDescriptors([{ ...bad.root, annotations }], [bad])
      assert.equal(await world.push('shop/only', index, '1'), 'deny')
      expectHeld(await puller.get('/v2/shop/only/manifests/1'), /the index lists no image/)
      expectHeld(await puller.get(`/v2/shop/only/manifests/${bad.root.digest}`))
    })

    test('an attestation that describes a stranger is judged by itself', async () => {
      const good = await cleanImage('strange')
      const attested = attestedIndex(good)
      const [attestation] = [...attested.manifests.keys()].filter(
        (digest) => digest !== good.root.digest && digest !== attested.root.digest,
      )
      const child = {
        ...attested,
        root: { ...good.root, digest: attestation ?? '', size: attested.manifests.get(attestation ?? '')?.bytes.length ?? 0 },
      }
      const annotations = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': `sha256:${'0'.repeat(64)}` }
      const index = indexOfDescriptors(
        [
          { ...good.root, platform: { os: 'linux', architecture: 'amd64' } },
          { ...child.root, annotations },
        ],
        [attested],
      )
      assert.equal(await world.push('shop/strange', withoutManifest(index, attested.root.digest), '1'), 'allow')
      expectHeld(await puller.get(`/v2/shop/strange/manifests/${attestation}`), /it cannot be read/)
    })

    test('nested indexes are judged by what is at their end', async () => {
      const [good, bad] = [
        indexOf([{ content: await cleanImage('nested'), architecture: 'amd64' }]),
        indexOf([{ content: await heldImage('nested'), architecture: 'amd64' }]),
      ]
      assert.equal(await world.push('shop/nested', indexOfDescriptors([good.root], [good]), 'good'), 'allow')
      assert.equal(await world.push('shop/nested', indexOfDescriptors([bad.root], [bad]), 'bad'), 'deny')
      assert.equal(await world.push('shop/nested', indexOfDescriptors([bad.root, good.root], [bad, good]), 'mixed'), 'allow')
      for (const [tag, status] of [
        ['good', 200],
        ['bad', 403],
        ['mixed', 200],
      ] as const)
        assert.equal((await puller.get(`/v2/shop/nested/manifests/${tag}`)).status, status, tag)
      for (const digest of bad.manifests.keys()) expectHeld(await puller.get(`/v2/shop/nested/manifests/${digest}`))
    })

    test('an index whose child is missing is not taken, and one whose child is gone hands the child out no more', async () => {
      const child = await cleanImage('missing')
      const index = indexOf([{ content: child, architecture: 'amd64' }])
      const bytes = index.manifests.get(index.root.digest)?.bytes ?? Buffer.alloc(0)
      const problem = expectError(await developer.put('shop/missing', '1', index.root.mediaType, bytes), 404, 'MANIFEST_BLOB_UNKNOWN')
      assert.deepEqual(problem.detail, [{ digest: child.root.digest }])
      expectError(await puller.get('/v2/shop/missing/manifests/1'), 404, 'MANIFEST_UNKNOWN')
      assert.equal(await world.push('shop/missing', index, '1'), 'allow')
      expectOk(await developer.ask(`/v2/shop/missing/manifests/${child.root.digest}`, { method: 'DELETE' }), 202)
      expectError(await puller.get(`/v2/shop/missing/manifests/${child.root.digest}`), 404, 'MANIFEST_UNKNOWN')
      for (const digest of child.blobs.keys())
        expectHeld(await puller.get(`/v2/shop/missing/blobs/${digest}`), /no image that may be pulled holds/)
    })

    test("BuildKit's caches, in both forms, are for those who push and for no puller", async () => {
      const layers = [await cleanLayer('cache'), await heldLayer('cache')]
      for (const [tag, content] of [
        ['manifest', cacheImage(layers)],
        ['index', cacheIndex(layers)],
      ] as const) {
        const repository = `shop/cache-${tag}`
        expectOk(await developer.push(repository, content, 'cache'), 201)
        await world.decision(`${repository}:cache`)
        const builder = await developer.by(`repository:${repository}:pull`)
        for (const reader of [developer, builder]) {
          expectOk(await reader.get(`/v2/${repository}/manifests/cache`))
          for (const [digest, bytes] of content.blobs)
            assert.deepEqual(expectOk(await reader.get(`/v2/${repository}/blobs/${digest}`)).body, bytes)
        }
        expectHeld(await puller.get(`/v2/${repository}/manifests/cache`), /a build cache is read by those who may push here$/)
        assert.equal((await puller.head(`/v2/${repository}/manifests/cache`)).status, 403)
        for (const digest of content.blobs.keys()) expectHeld(await puller.get(`/v2/${repository}/blobs/${digest}`))
      }
    })

    test('a cache opens no layer that an image in the same repository is held for', async () => {
      const layer = await heldLayer('shared')
      const held = indexOfDescriptors([], [])
      expectOk(await developer.push('shop/shared', cacheIndex([layer]), 'cache'), 201)
      assert.equal(await world.push('shop/shared', held, 'empty'), 'deny')
      expectHeld(await puller.get(`/v2/shop/shared/blobs/${layer.descriptor.digest}`))
      expectHeld(await puller.get('/v2/shop/shared/manifests/empty'), /the index lists no image/)
    })

    test('a held layer does not leave as a blob that an allowed index lists beside its images', async () => {
      const [good, bad] = [await cleanImage('beside'), await heldImage('beside-held')]
      assert.equal(await world.push('shop/beside', bad, 'bad'), 'deny')
      const digest = partsOf(bad).layers[1] ?? ''
      const beside = { mediaType: 'application/octet-stream', digest, size: bad.blobs.get(digest)?.length ?? 0 }
      const index = indexOfDescriptors([{ ...good.root, platform: { os: 'linux', architecture: 'amd64' } }, beside], [good])
      assert.equal(await world.push('shop/beside', index, '1'), 'allow')
      expectHeld(await puller.get(`/v2/shop/beside/blobs/${digest}`))
      expectOk(
        await (await world.addRobot('beside-mover', 'pull=**', 'push=mine/**')).ask(
          `/v2/mine/beside/blobs/uploads/?mount=${digest}&from=shop/beside`,
          { method: 'POST' },
        ),
        202,
      )
    })

    test('an index that lists one cache config among images is no way around their verdicts', async () => {
      const bad = await heldImage('smuggled')
      const cache = cacheIndex([await cleanLayer('smuggled')])
      const entries = (
        JSON.parse(cache.manifests.get(cache.root.digest)?.bytes.toString('utf8') ?? '') as { manifests: ContentDescriptor[] }
      ).manifests
      const index = contentOf(
        {
          schemaVersion: 2,
          mediaType: mediaTypes.ociIndex,
          manifests: [{ ...bad.root, platform: { os: 'linux', architecture: 'amd64' } }, ...entries],
        } as { mediaType: string },
        [...cache.blobs.values()],
        [bad],
      )
      expectOk(await developer.push('shop/smuggled', index, '1'), 201)
      await world.decision('shop/smuggled:1')
      assert.equal(await world.push('shop/smuggled', bad), 'deny')
      expectHeld(await puller.get('/v2/shop/smuggled/manifests/1'))
      expectHeld(await developer.get(`/v2/shop/smuggled/manifests/${bad.root.digest}`))
      expectHeld(await puller.get(`/v2/shop/smuggled/blobs/${partsOf(bad).layers[1]}`))
    })
  })
}

function claimedAttestation(image: Content, claimed: Content, describes: string): Content {
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': describes }
  return indexOfDescriptors(
    [
      { ...image.root, platform: { os: 'linux', architecture: 'amd64' } },
      { ...claimed.root, annotations, platform: { os: 'unknown', architecture: 'unknown' } },
    ],
    [image, claimed],
  )
}

function withoutManifest(content: Content, digest: string): Content {
  return { ...content, manifests: new Map([...content.manifests].filter(([key]) => key !== digest)) }
}
