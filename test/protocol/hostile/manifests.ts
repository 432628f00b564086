// Manifests that are wrong, in every way that a parser can be wronged.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import fc from 'fast-check'
import { mediaTypes } from '../../../src/model/manifest.ts'
import { type Content, sha256 } from '../../support/content.ts'
import type { Answer } from '../../support/protocol.ts'
import type { Asker } from '../support/asker.ts'
import { cleanImage, rootBytes } from '../support/images.ts'
import { expectError, expectErrorShape, expectOk } from '../support/shapes.ts'
import { storedIn } from '../support/stored.ts'
import type { OpenWorld, World } from '../support/world.ts'

const absent = `sha256:${'0'.repeat(64)}`

export function manifestSuite(open: OpenWorld): void {
  describe('manifests', () => {
    let world: World
    let pusher: Asker
    let image: Content

    before(async () => {
      world = await open()
      pusher = await world.addRobot('pusher', 'pull=shop/**', 'push=shop/**')
      image = await cleanImage('manifests')
      await world.push('shop/api', image, '1')
    })
    after(() => world[Symbol.asyncDispose]())

    async function refused(body: Uint8Array | string, mediaType: string = mediaTypes.ociManifest, reference = 'wrong'): Promise<Answer> {
      const before = await storedIn(world)
      const answer = await pusher.put('shop/api', reference, mediaType, body)
      expectErrorShape(answer)
      assert.deepEqual(await storedIn(world), before)
      return answer
    }

    const shape = (more: object) => JSON.stringify({ ...(JSON.parse(rootBytes(image).toString('utf8')) as object), ...more })

    test('what is no JSON, or not an object, or of another schema', async () => {
      for (const body of [
        '',
        ' ',
        '{',
        'null',
        '[]',
        '"text"',
        '12',
        '{}',
        '{"schemaVersion":1}',
        '{"schemaVersion":"2"}',
        '{"schemaVersion":2}',
        `${rootBytes(image).toString('utf8')}x`,
        '\u0000',
        '{"schemaVersion":2,}',
        "{'schemaVersion':2}",
        'NaN',
      ]) {
        assert.equal((await refused(body)).status, 400, JSON.stringify(body.slice(0, 40)))
      }
      for (const bytes of [
        Buffer.from([0xff, 0xfe]),
        Buffer.concat([Buffer.from([0xc0]), rootBytes(image)]),
        Buffer.from(rootBytes(image).toString('utf8'), 'utf16le'),
      ]) {
        expectError(await refused(bytes), 400, 'MANIFEST_INVALID')
      }
    })

    test('10 MB of JSON is 413, whether its length is told or not', async () => {
      const body = `{"schemaVersion":2,"annotations":{"a":"${'x'.repeat(10_000_000)}"}}`
      expectError(await refused(body), 413, 'MANIFEST_INVALID')
      const before = await storedIn(world)
      const pieces = await fetch(`http://${world.host}/v2/shop/api/manifests/wrong`, {
        method: 'PUT',
        headers: { authorization: pusher.basic ?? '', 'content-type': mediaTypes.ociManifest },
        body: new Blob([body]).stream(),
        duplex: 'half',
      } as RequestInit)
      assert.equal(pieces.status, 413)
      assert.equal(((await pieces.json()) as { errors: { code: string }[] }).errors[0]?.code, 'MANIFEST_INVALID')
      assert.deepEqual(await storedIn(world), before)
    })

    test('a manifest of exactly 4 MiB is taken, and one byte more is not', async () => {
      const padded = (size: number) => {
        const bare = shape({ annotations: { padding: '' } })
        return shape({ annotations: { padding: 'x'.repeat(size - bare.length) } })
      }
      assert.equal(padded(4 * 1024 * 1024).length, 4 * 1024 * 1024)
      expectError(await refused(padded(4 * 1024 * 1024 + 1)), 413, 'MANIFEST_INVALID')
      expectOk(await pusher.put('shop/api', 'largest', mediaTypes.ociManifest, padded(4 * 1024 * 1024)), 201)
    })

    test('objects and lists nested a million deep', async () => {
      for (const [opening, closing] of [
        ['[', ']'],
        ['{"a":', '}'],
      ] as const) {
        const depth = 500_000
        expectError(
          await refused(`{"schemaVersion":2,"annotations":${opening.repeat(depth)}1${closing.repeat(depth)}}`),
          400,
          'MANIFEST_INVALID',
        )
      }
    })

    test('blobs that are not here, all of them named', async () => {
      const missing = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: absent, size: 3 }
      const problem = expectError(await refused(shape({ layers: [missing] })), 404, 'MANIFEST_BLOB_UNKNOWN')
      assert.deepEqual(problem.detail, [{ digest: absent }])
      expectError(await refused(shape({ config: { ...missing, mediaType: mediaTypes.ociConfig } })), 404, 'MANIFEST_BLOB_UNKNOWN')
      const many = Array.from({ length: 1000 }, (_, at) => ({ ...missing, digest: `sha256:${String(at).padStart(64, '0')}` }))
      const told = expectError(await refused(shape({ layers: many })), 404, 'MANIFEST_BLOB_UNKNOWN')
      assert.ok((told.detail as unknown[]).length <= 100)
    })

    test('blobs of another repository are not here, and nothing is said of there', async () => {
      const elsewhere = await cleanImage('elsewhere')
      await world.push('other/secret', elsewhere, '1')
      const before = await storedIn(world)
      const [here, never] = [
        await pusher.put('shop/new', '1', mediaTypes.ociManifest, rootBytes(elsewhere)),
        await pusher.put('shop/new', '1', mediaTypes.ociManifest, rootBytes(await cleanImage('never'))),
      ]
      for (const answer of [here, never]) expectError(answer, 404, 'MANIFEST_BLOB_UNKNOWN')
      assert.ok(!here.body.toString('utf8').includes('secret'))
      assert.deepEqual(await storedIn(world), before)
    })

    test('a content type unlike the body, or none that we know', async () => {
      const index = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] })
      for (const [body, type] of [
        [rootBytes(image), mediaTypes.ociIndex],
        [rootBytes(image), mediaTypes.dockerManifest],
        [index, mediaTypes.ociManifest],
        [index, mediaTypes.dockerList],
        [rootBytes(image), 'application/json'],
        [rootBytes(image), 'text/html'],
        [rootBytes(image), 'application/vnd.docker.distribution.manifest.v1+prettyjws'],
      ] as const) {
        expectError(await refused(body, type), 400, 'MANIFEST_INVALID')
      }
      const bare = JSON.stringify({ ...(JSON.parse(rootBytes(image).toString('utf8')) as object), mediaType: undefined })
      for (const type of ['application/octet-stream', mediaTypes.ociIndex]) expectError(await refused(bare, type), 400, 'MANIFEST_INVALID')
      for (const type of [';;;', 'a b', '\\', '"'.repeat(100)])
        expectErrorShape(await pusher.put('shop/api', 'wrong', type, rootBytes(image)))
    })

    test('what is an image to one client and an index to another is neither', async () => {
      const entry = { ...image.root }
      for (const [more, type] of [
        [{ manifests: [entry] }, mediaTypes.ociManifest],
        [{ mediaType: mediaTypes.ociIndex, manifests: [entry] }, mediaTypes.ociIndex],
        [{ manifests: null }, mediaTypes.ociManifest],
        [{ fsLayers: [] }, mediaTypes.ociManifest],
      ] as const) {
        expectError(await refused(shape(more), type), 400, 'MANIFEST_INVALID')
      }
    })

    test('descriptors of every wrong form', async () => {
      const right = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: image.blobs.keys().next().value, size: 1 }
      const wrongs = [
        null,
        1,
        'text',
        [],
        {},
        { ...right, size: -1 },
        { ...right, size: 1.5 },
        { ...right, size: '1' },
        { ...right, size: 2 ** 60 },
        { ...right, digest: 'sha256:..' },
        { ...right, digest: `sha256:${'A'.repeat(64)}` },
        { ...right, digest: ['a'] },
        { ...right, mediaType: '' },
        { ...right, mediaType: 'x'.repeat(100_000) },
        { ...right, mediaType: {} },
        { ...right, annotations: [] },
        { ...right, annotations: { a: 1 } },
        { ...right, platform: 'linux' },
        { ...right, platform: { os: [] } },
        { ...right, artifactType: 7 },
      ]
      for (const wrong of wrongs) {
        expectErrorShape(await refused(shape({ layers: [wrong] })))
        expectErrorShape(await refused(shape({ config: wrong })))
        expectErrorShape(
          await refused(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [wrong] }), mediaTypes.ociIndex),
        )
        if (wrong !== null) expectErrorShape(await refused(shape({ subject: wrong })))
      }
    })

    test('an index that names itself is not taken', async () => {
      const index = (digest: string) =>
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociIndex,
          manifests: [{ mediaType: mediaTypes.ociIndex, digest, size: 100 }],
        })
      const own = sha256(Buffer.from(index(absent)))
      expectError(await refused(index(own), mediaTypes.ociIndex), 404, 'MANIFEST_BLOB_UNKNOWN')
      expectError(await refused(index(own), mediaTypes.ociIndex, own), 400, 'DIGEST_INVALID')
    })

    test('indexes in a circle, were they ever stored, are judged in the end and held', async () => {
      const { records } = world.house
      const bodies = ['one', 'two'].map((name) =>
        JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [], annotations: { name } }),
      )
      for (const [at, body] of bodies.entries()) expectOk(await pusher.put('shop/circle', `tag-${at}`, mediaTypes.ociIndex, body), 201)
      const rows = await records.read
        .selectFrom('manifests')
        .select(['id', 'digest'])
        .where(
          'digest',
          'in',
          bodies.map((body) => sha256(Buffer.from(body))),
        )
        .execute()
      const circle = rows.map(({ id }, at) => ({
        manifest_id: id,
        position: 0,
        child_digest: rows[1 - at]?.digest ?? '',
        platform: null,
        attests: null,
      }))
      await records.write((tx) => tx.insertInto('manifest_children').values(circle).execute())
      for (const [at, body] of bodies.entries()) {
        expectOk(await pusher.put('shop/circle', `tag-${at}`, mediaTypes.ociIndex, body), 201)
        assert.notEqual(await world.decision(`shop/circle:tag-${at}`), 'allow')
      }
      expectOk(await pusher.get('/v2/shop/circle/tags/list'))
    })

    test('wrong tags and digests in the path and in ?tag=', async () => {
      for (const reference of [
        '-a',
        '.a',
        'a'.repeat(129),
        'a%20b',
        'a:b',
        'sha256:short',
        '%00',
        'a%2fb',
        '%e2%98%83',
        `md5:${'a'.repeat(32)}`,
      ]) {
        expectErrorShape(await refused(rootBytes(image), mediaTypes.ociManifest, reference))
      }
      for (const tags of [
        'tag=',
        'tag=-',
        'tag=a/b',
        'tag=ok&tag=..',
        `tag=${'a'.repeat(129)}`,
        Array.from({ length: 101 }, (_, at) => `tag=t${at}`).join('&'),
      ]) {
        expectError(await refused(rootBytes(image), mediaTypes.ociManifest, `${image.root.digest}?${tags}`), 400, 'TAG_INVALID')
      }
      expectError(await refused(rootBytes(image), mediaTypes.ociManifest, absent), 400, 'DIGEST_INVALID')
    })

    test('text that is SQL elsewhere, markup elsewhere, or of other alphabets, comes back byte for byte', async () => {
      const annotations = {
        "'; drop table manifests; --": '<script>alert(1)</script>',
        '\u202e': '\u0000\u{1f600}\ud800'.toWellFormed(),
        ['__proto__']: 'x',
        constructor: 'y',
      }
      const body = shape({ annotations })
      const answer = await pusher.put('shop/api', 'words', mediaTypes.ociManifest, body)
      if (answer.status !== 201) return void expectErrorShape(answer)
      await world.decision('shop/api:words')
      const read = expectOk(await pusher.get('/v2/shop/api/manifests/words'))
      assert.equal(read.body.toString('utf8'), body)
      assert.equal(read.headers.get('content-type'), mediaTypes.ociManifest)
      assert.equal(read.headers.get('x-content-type-options'), 'nosniff')
    })

    test('any change of a manifest is taken whole or refused in OCI form, never a fault of ours', async () => {
      const original = JSON.parse(rootBytes(image).toString('utf8')) as Record<string, unknown>
      const key = fc.constantFrom(
        'schemaVersion',
        'mediaType',
        'config',
        'layers',
        'manifests',
        'subject',
        'annotations',
        'artifactType',
        'platform',
        'data',
      )
      await fc.assert(
        fc.asyncProperty(
          fc.dictionary(key, fc.oneof(fc.jsonValue(), fc.constant(original['config']), fc.constant(original['layers'])), { maxKeys: 3 }),
          fc.constantFrom(mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.dockerManifest),
          async (more, type) => {
            const answer = await pusher.put('shop/fuzz', 'fuzz', type, JSON.stringify({ ...original, ...more }))
            if (answer.status !== 201) expectErrorShape(answer)
          },
        ),
        { numRuns: 150 },
      )
      await fc.assert(
        fc.asyncProperty(fc.nat(rootBytes(image).length - 1), fc.nat(255), async (at, byte) => {
          const bytes = Buffer.from(rootBytes(image))
          bytes[at] = byte
          const answer = await pusher.put('shop/fuzz', 'fuzz', mediaTypes.ociManifest, bytes)
          if (answer.status !== 201) expectErrorShape(answer)
        }),
        { numRuns: 150 },
      )
    })
  })
}
