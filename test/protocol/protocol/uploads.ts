// Uploads as clients drive them, beyond what the conformance suite looks at.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { sha256 } from '../../support/content.ts'
import type { Asker } from '../support/asker.ts'
import { expectError, expectOk } from '../support/shapes.ts'
import { storedIn } from '../support/stored.ts'
import type { OpenWorld, World } from '../support/world.ts'

const octets = { 'content-type': 'application/octet-stream' }

export function uploadProtocol(open: OpenWorld): void {
  describe('uploads as clients drive them', () => {
    let world: World
    let pusher: Asker

    before(async () => {
      world = await open()
      pusher = await world.addRobot('pusher', 'pull=shop/**', 'push=shop/**', 'delete=shop/**', 'read-quarantined=shop/**')
    })
    after(() => world[Symbol.asyncDispose]())

    test('a session tells where it stands, by the headers that clients go on from', async () => {
      const begun = expectOk(await pusher.ask('/v2/shop/api/blobs/uploads/', { method: 'POST' }), 202)
      const location = begun.headers.get('location') ?? ''
      assert.match(location, /^\/v2\/shop\/api\/blobs\/uploads\/[0-9a-f-]{36}$/)
      assert.deepEqual(
        [begun.headers.get('range'), begun.headers.get('content-length'), begun.headers.get('oci-chunk-min-length')],
        ['0-0', '0', '1'],
      )
      assert.equal(begun.headers.get('docker-upload-uuid'), location.split('/').at(-1))
      assert.equal(begun.headers.get('docker-distribution-api-version'), 'registry/2.0')
      const patched = expectOk(
        await pusher.ask(location, { method: 'PATCH', body: 'hello', headers: { ...octets, 'content-range': '0-4' } }),
        202,
      )
      assert.deepEqual([patched.headers.get('range'), patched.headers.get('location')], ['0-4', location])
      const more = expectOk(await pusher.ask(location, { method: 'PATCH', body: ' world', headers: octets }), 202)
      assert.equal(more.headers.get('range'), '0-10')
      const refused = await pusher.ask(location, { method: 'PATCH', body: 'x', headers: { ...octets, 'content-range': '20-20' } })
      expectError(refused, 416, 'BLOB_UPLOAD_INVALID')
      assert.deepEqual([refused.headers.get('range'), refused.headers.get('location')], ['0-10', location])
      assert.equal(expectOk(await pusher.get(location), 204).headers.get('range'), '0-10')
      const digest = sha256(Buffer.from('hello world!'))
      const done = expectOk(
        await pusher.ask(`${location}?digest=${encodeURIComponent(digest)}`, {
          method: 'PUT',
          body: '!',
          headers: { ...octets, 'content-range': '11-11' },
        }),
        201,
      )
      assert.deepEqual([done.headers.get('location'), done.headers.get('docker-content-digest')], [`/v2/shop/api/blobs/${digest}`, digest])
      expectError(await pusher.get(location), 404, 'BLOB_UPLOAD_UNKNOWN')
      assert.equal(expectOk(await pusher.get(done.headers.get('location') ?? '')).body.toString('utf8'), 'hello world!')
    })

    test('the same bytes by one POST, by POST and PUT, in pieces without a length, and as sha512, empty or not', async () => {
      for (const bytes of [Buffer.alloc(0), Buffer.from('bytes'), Buffer.alloc(300_000, 'block')]) {
        for (const algorithm of ['sha256', 'sha512'] as const) {
          const digest = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
          const ways: Record<string, () => Promise<{ status: number }>> = {
            post: () => pusher.upload('shop/ways', bytes, digest),
            'post and put': async () =>
              pusher.ask(`${await begin('shop/ways')}?digest=${digest}`, { method: 'PUT', body: bytes, headers: octets }),
            'patch and an empty put': async () => {
              const location = await begin('shop/ways')
              expectOk(await pusher.ask(location, { method: 'PATCH', body: bytes, headers: octets }), 202)
              return pusher.ask(`${location}?digest=${digest}`, { method: 'PUT' })
            },
            pieces: async () => {
              const body = ReadableStream.from(piecesOf(bytes))
              const headers = { ...octets, authorization: pusher.basic ?? '' }
              return fetch(`http://${world.host}${await begin('shop/ways')}?digest=${digest}`, {
                method: 'PUT',
                headers,
                body,
                duplex: 'half',
              } as RequestInit)
            },
          }
          for (const [way, send] of Object.entries(ways)) {
            assert.equal((await send()).status, 201, `${way}, ${algorithm}, ${bytes.length} bytes`)
            assert.deepEqual(expectOk(await pusher.get(`/v2/shop/ways/blobs/${digest}`)).body, bytes, way)
          }
        }
      }
    })

    test('the same blob pushed again, and into another repository, lies on disk once', async () => {
      const bytes = Buffer.from('once on disk')
      expectOk(await pusher.upload('shop/one', bytes, sha256(bytes)), 201)
      const before = await storedIn(world)
      expectOk(await pusher.upload('shop/one', bytes, sha256(bytes)), 201)
      expectOk(await pusher.upload('shop/two', bytes, sha256(bytes)), 201)
      const after = await storedIn(world)
      assert.deepEqual([after.objects, after.objectBytes, after.rows['blobs']], [before.objects, before.objectBytes, before.rows['blobs']])
      assert.equal(after.rows['blob_links'], (before.rows['blob_links'] ?? 0) + 1)
    })

    test('an upload is cancelled with all its bytes', async () => {
      await begin('shop/cancel').then((location) => pusher.ask(location, { method: 'DELETE' }))
      const before = await storedIn(world)
      const location = await begin('shop/cancel')
      expectOk(await pusher.ask(location, { method: 'PATCH', body: 'half', headers: octets }), 202)
      assert.notDeepEqual(await storedIn(world), before)
      expectOk(await pusher.ask(location, { method: 'DELETE' }), 204)
      assert.deepEqual(await storedIn(world), before)
      for (const method of ['GET', 'PATCH', 'DELETE']) expectError(await pusher.ask(location, { method }), 404, 'BLOB_UPLOAD_UNKNOWN')
    })

    test('an upload that lies idle past its time is gone with all its bytes, and no other is', async () => {
      const before = await storedIn(world)
      const [old, young] = [await begin('shop/api'), await begin('shop/api')]
      for (const location of [old, young]) expectOk(await pusher.ask(location, { method: 'PATCH', body: 'half', headers: octets }), 202)
      const id = old.split('/').at(-1) ?? ''
      await world.house.records.write((tx) =>
        tx
          .updateTable('uploads')
          .set({ expires_at: Date.now() - 1 })
          .where('id', '=', id)
          .execute(),
      )
      assert.equal(await world.house.uploads.expire(), 1)
      expectError(await pusher.get(old), 404, 'BLOB_UPLOAD_UNKNOWN')
      assert.equal(expectOk(await pusher.get(young), 204).headers.get('range'), '0-3')
      expectOk(await pusher.ask(young, { method: 'DELETE' }), 204)
      assert.deepEqual(await storedIn(world), before)
    })

    test('an upload goes on where it was after a restart of the server', async () => {
      const first = await open()
      const robot = await first.addRobot('goes-on', 'pull=shop/**', 'push=shop/**')
      const location = expectOk(await robot.ask('/v2/shop/api/blobs/uploads/', { method: 'POST' }), 202).headers.get('location') ?? ''
      expectOk(await robot.ask(location, { method: 'PATCH', body: 'before ', headers: octets }), 202)
      await first[Symbol.asyncDispose]()
      await using second = await open(first.options)
      const again = second.as(robot)
      assert.equal(expectOk(await again.get(location), 204).headers.get('range'), '0-6')
      const digest = sha256(Buffer.from('before and after'))
      expectOk(await again.ask(location, { method: 'PATCH', body: 'and after', headers: { ...octets, 'content-range': '7-15' } }), 202)
      expectOk(await again.ask(`${location}?digest=${digest}`, { method: 'PUT' }), 201)
      assert.equal((await again.head(`/v2/shop/api/blobs/${digest}`)).headers.get('content-length'), '16')
    })

    test('ranges of a blob: from, to, the last bytes; several at once give the whole; beyond the end nothing', async () => {
      const bytes = Buffer.from('0123456789')
      expectOk(await pusher.upload('shop/ranges', bytes, sha256(bytes)), 201)
      const path = `/v2/shop/ranges/blobs/${sha256(bytes)}`
      for (const [range, text, told] of [
        ['bytes=0-3', '0123', 'bytes 0-3/10'],
        ['bytes=4-', '456789', 'bytes 4-9/10'],
        ['bytes=-3', '789', 'bytes 7-9/10'],
        ['bytes=-100', '0123456789', 'bytes 0-9/10'],
        ['bytes=9-9', '9', 'bytes 9-9/10'],
        ['bytes=5-100', '56789', 'bytes 5-9/10'],
      ] as const) {
        const answer = expectOk(await pusher.get(path, { range }), 206)
        assert.deepEqual(
          [answer.body.toString('utf8'), answer.headers.get('content-range'), answer.headers.get('content-length')],
          [text, told, String(text.length)],
          range,
        )
      }
      for (const range of ['bytes=0-1,4-5', 'items=0-1', 'bytes=x', 'bytes=', 'bytes=-', '0-3', 'bytes=0-1;x']) {
        assert.equal(expectOk(await pusher.get(path, { range })).body.toString('utf8'), '0123456789', range)
      }
      for (const range of ['bytes=10-', 'bytes=10-20', 'bytes=-0', 'bytes=999999999999999-', 'bytes=5-3']) {
        const answer = await pusher.get(path, { range })
        expectError(answer, 416, 'RANGE_INVALID')
        assert.equal(answer.headers.get('content-range'), 'bytes */10', range)
      }
      const head = expectOk(await pusher.head(path, { range: 'bytes=0-3' }))
      assert.deepEqual(
        [head.headers.get('content-length'), head.headers.get('accept-ranges'), head.headers.get('etag'), head.body.length],
        ['10', 'bytes', `"${sha256(bytes)}"`, 0],
      )
    })

    test('a blob that is deleted is gone from its repository alone, and can be pushed again', async () => {
      const bytes = Buffer.from('to be deleted')
      const digest = sha256(bytes)
      for (const name of ['shop/del-one', 'shop/del-two']) expectOk(await pusher.upload(name, bytes, digest), 201)
      expectOk(await pusher.ask(`/v2/shop/del-one/blobs/${digest}`, { method: 'DELETE' }), 202)
      expectError(await pusher.ask(`/v2/shop/del-one/blobs/${digest}`, { method: 'DELETE' }), 404, 'BLOB_UNKNOWN')
      expectError(await pusher.get(`/v2/shop/del-one/blobs/${digest}`), 404, 'BLOB_UNKNOWN')
      expectOk(await pusher.get(`/v2/shop/del-two/blobs/${digest}`))
      expectOk(await pusher.upload('shop/del-one', bytes, digest), 201)
      expectOk(await pusher.get(`/v2/shop/del-one/blobs/${digest}`))
    })

    async function begin(repository: string): Promise<string> {
      return expectOk(await pusher.ask(`/v2/${repository}/blobs/uploads/`, { method: 'POST' }), 202).headers.get('location') ?? ''
    }
  })
}

async function* piecesOf(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 70_000) yield new Uint8Array(bytes.subarray(at, at + 70_000))
}
