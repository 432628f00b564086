// Content that claims to be something else than it is: judged by its bytes, whatever names it.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mediaTypes } from '../../../src/model/manifest.ts'
import { artifactOf, imageOf, imageOfLayers, indexOfDescriptors } from '../../support/images.ts'
import { fedoraBase } from '../../support/worlds.ts'
import type { Asker } from '../support/asker.ts'
import { cleanImage, cleanLayer, configOf, gzipLayer, heldImage, heldLayer, manifestOf, partsOf } from '../support/images.ts'
import { expectHeld, expectOk } from '../support/shapes.ts'
import type { Records, World } from '../support/world.ts'

const strangeConfig = 'application/vnd.example.config.v1+json'

export function disguiseSuite({ name: where, open }: Records): void {
  describe(`disguises, over ${where}`, () => {
    let world: World
    let puller: Asker
    let developer: Asker

    before(async () => {
      world = await open()
      puller = await world.addRobot('puller', 'pull=shop/**')
      developer = await world.addRobot('developer', 'pull=shop/**', 'push=shop/**')
    })
    after(() => world[Symbol.asyncDispose]())

    test('an image disguised as an artifact, by config media type, artifactType or both', async () => {
      const layer = await heldLayer('disguise')
      const layers = [{ mediaType: gzipLayer, bytes: layer.bytes }]
      const config = configOf([layer])
      const disguises = {
        'config media type': manifestOf({ config: { mediaType: strangeConfig, bytes: config }, layers }),
        artifactType: manifestOf({
          config: { mediaType: mediaTypes.ociConfig, bytes: config },
          layers,
          more: { artifactType: 'application/spdx+json' },
        }),
        both: manifestOf({ config: { mediaType: strangeConfig, bytes: config }, layers, more: { artifactType: 'application/spdx+json' } }),
        'layer media type': manifestOf({
          config: { mediaType: strangeConfig, bytes: config },
          layers: [{ mediaType: 'text/plain', bytes: layer.bytes }],
        }),
        'empty config': manifestOf({ config: { mediaType: mediaTypes.ociEmpty, bytes: Buffer.from('{}') }, layers }),
        "the cache's config": manifestOf({ config: { mediaType: mediaTypes.buildkitCacheConfig, bytes: config }, layers }),
      }
      for (const [name, content] of Object.entries(disguises)) {
        assert.equal(await world.push('shop/disguised', content, 'now'), 'deny', name)
        expectHeld(await puller.get('/v2/shop/disguised/manifests/now'))
        expectHeld(await puller.get(`/v2/shop/disguised/blobs/${layer.descriptor.digest}`))
      }
    })

    test('an unreadable layer is no artifact because its config says so', async () => {
      const layer = { mediaType: gzipLayer, bytes: Buffer.from('not an archive') }
      const config = Buffer.from(JSON.stringify({ rootfs: { type: 'layers', diff_ids: [] } }))
      assert.equal(
        await world.push('shop/claims', manifestOf({ config: { mediaType: strangeConfig, bytes: config }, layers: [layer] })),
        'deny',
      )
      assert.equal(await world.push('shop/claims', artifactOf('application/vnd.example.text', [layer])), 'allow')
    })

    test('an artifact disguised as an image is held as one that cannot be read', async () => {
      const content = manifestOf({
        config: {
          mediaType: mediaTypes.ociConfig,
          bytes: Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'),
        },
        layers: [{ mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', bytes: Buffer.from('a text, not a chart') }],
      })
      assert.equal(await world.push('shop/chart', content, '1'), 'deny')
      expectHeld(await puller.get('/v2/shop/chart/manifests/1'), /is held: it cannot be read: layer 1 of 1/)
    })

    test('an artifact of plain files is handed out with its blobs', async () => {
      const content = artifactOf('application/vnd.example.notes', [{ mediaType: 'text/plain', bytes: Buffer.from('notes') }])
      assert.equal(await world.push('shop/notes', content, '1'), 'allow')
      expectOk(await puller.get('/v2/shop/notes/manifests/1'))
      for (const [digest, bytes] of content.blobs)
        assert.deepEqual(expectOk(await puller.get(`/v2/shop/notes/blobs/${digest}`)).body, bytes)
    })

    test('a held layer does not leave as the blob of another artifact', async () => {
      const held = await heldImage('borrowed')
      assert.equal(await world.push('shop/borrowed', held, '1'), 'deny')
      const digest = partsOf(held).layers[1] ?? ''
      const borrower = artifactOf('application/vnd.example.files', [
        { mediaType: 'application/octet-stream', bytes: held.blobs.get(digest) ?? Buffer.alloc(0) },
      ])
      expectOk(await developer.push('shop/borrowed', borrower), 201)
      assert.equal(await world.decision(`shop/borrowed@${borrower.root.digest}`), 'deny')
      expectHeld(await puller.get(`/v2/shop/borrowed/blobs/${digest}`))
    })

    for (const [name, mediaType] of [
      ['an artifact', strangeConfig],
      ['an image', mediaTypes.ociConfig],
    ] as const) {
      test(`a held layer does not leave as the config of ${name}`, async () => {
        const repository = `shop/config-of-${name.replace(' ', '-')}`
        const held = await heldImage(repository)
        assert.equal(await world.push(repository, held, '1'), 'deny')
        const digest = partsOf(held).layers[1] ?? ''
        const clean = await cleanLayer(repository)
        const borrower = manifestOf({
          config: { mediaType, bytes: held.blobs.get(digest) ?? Buffer.alloc(0) },
          layers: [{ mediaType: gzipLayer, bytes: clean.bytes }],
        })
        const pushed = await developer.push(repository, borrower, 'borrower')
        if (pushed.status === 201) await world.decision(`${repository}:borrower`)
        expectHeld(await puller.get(`/v2/${repository}/blobs/${digest}`))
      })
    }

    test('a layer named before it is here does not pass by the verdict of that time', async () => {
      const held = await heldImage('foretold')
      const digest = partsOf(held).layers[1] ?? ''
      const foretold = {
        mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
        digest,
        size: held.blobs.get(digest)?.length ?? 0,
      }
      const prophecy = manifestOf({
        config: { mediaType: mediaTypes.ociEmpty, bytes: Buffer.from('{}') },
        layers: [],
        more: { artifactType: 'application/vnd.example', layers: [foretold] },
      })
      await world.push('shop/foretold', prophecy, 'first')
      assert.equal(await world.push('shop/foretold', held, '1'), 'deny')
      expectHeld(await puller.get(`/v2/shop/foretold/blobs/${digest}`))
    })

    test('a blob under no manifest is for nobody, whoever uploaded it', async () => {
      const bytes = Buffer.from('under no manifest')
      const { descriptor } = manifestBlob(bytes)
      expectOk(await developer.upload('shop/loose', bytes, descriptor), 201)
      for (const asker of [puller, developer])
        expectHeld(await asker.get(`/v2/shop/loose/blobs/${descriptor}`), /no image that may be pulled holds/)
      assert.equal((await puller.head(`/v2/shop/loose/blobs/${descriptor}`)).status, 403)
      expectOk(await developer.head(`/v2/shop/loose/blobs/${descriptor}`))
    })

    test('a Fedora image is unsupported, since no advisories are there, and so denied', async () => {
      assert.equal(await world.push('shop/fedora', await imageOf([await fedoraBase()]), '40'), 'deny')
      const problem = expectHeld(await puller.get('/v2/shop/fedora/manifests/40'), /is held: it cannot be judged: .*rpm/)
      assert.deepEqual((problem.detail as { reasons: { rule: string }[] }).reasons[0]?.rule, 'unsupported')
    })

    test('one unsupported database denies the whole image, above and below other layers', async () => {
      const [fedora, clean] = [await imageOf([await fedoraBase(), { a: '1' }]), await imageOf([{ a: '1' }, await fedoraBase()])]
      for (const content of [fedora, clean]) assert.equal(await world.push('shop/fedora', content), 'deny')
    })

    test('the same bytes are judged alike under Docker and OCI types, under sha512, and in an index of their own', async () => {
      assert.equal(await world.push('shop/forms', await heldImage('forms', { form: 'docker' }), 'docker'), 'deny')
      assert.equal(await world.push('shop/forms', await heldImage('forms', { packing: 'zstd' }), 'zstd'), 'deny')
      assert.equal(await world.push('shop/forms', await heldImage('forms', { packing: 'none' }), 'plain'), 'deny')
      assert.equal(await world.push('shop/forms', await cleanImage('forms', { form: 'docker' }), 'docker-clean'), 'allow')
      const layer = await heldLayer('platforms')
      const child = imageOfLayers([layer])
      const index = indexOfDescriptors([{ ...child.root, platform: { os: 'unknown', architecture: 'unknown' } }], [child], 'docker')
      assert.equal(await world.push('shop/forms', index, 'index'), 'deny')
    })
  })
}

function manifestBlob(bytes: Buffer): { descriptor: string } {
  return { descriptor: [...manifestOf({ config: { mediaType: 'x/y', bytes }, layers: [] }).blobs.keys()][0] ?? '' }
}
