// Bytes that are not what they claim, or that stop coming.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../../support/content.ts'
import type { Asker } from '../support/asker.ts'
import { eventually } from '../support/eventually.ts'
import { openSocket } from '../support/raw.ts'
import { expectError, expectErrorShape, expectOk } from '../support/shapes.ts'
import { storedIn } from '../support/stored.ts'
import type { OpenWorld, World } from '../support/world.ts'

const octets = { 'content-type': 'application/octet-stream' }
const wrong = `sha256:${'a'.repeat(64)}`

export function uploadSuite(open: OpenWorld): void {
  describe('uploads', () => {
    let world: World
    let pusher: Asker

    before(async () => {
      world = await open()
      pusher = await world.addRobot('pusher', 'pull=shop/**', 'push=shop/**')
      expectOk(await pusher.upload('shop/api', Buffer.from('here'), sha256(Buffer.from('here'))), 201)
    })
    after(() => world[Symbol.asyncDispose]())

    test('bytes of another digest are refused and gone, by POST alone and by POST and PUT', async () => {
      const before = await storedIn(world)
      const problem = expectError(await pusher.upload('shop/api', Buffer.from('bytes'), wrong), 400, 'DIGEST_INVALID')
      assert.match(problem.message, /^the bytes are sha256:[0-9a-f]{12}, not sha256:aaaaaaaaaaaa$/)
      const location = await begin('shop/api')
      expectError(await pusher.ask(`${location}?digest=${wrong}`, { method: 'PUT', body: 'bytes', headers: octets }), 400, 'DIGEST_INVALID')
      expectError(await pusher.get(location), 404, 'BLOB_UPLOAD_UNKNOWN')
      assert.deepEqual(await storedIn(world), before)
      expectError(
        await pusher.head(`/v2/shop/api/blobs/${wrong}`).then(() => pusher.get(`/v2/shop/api/blobs/${wrong}`)),
        404,
        'BLOB_UNKNOWN',
      )
    })

    test('the right bytes under a digest of another algorithm, or cut, or in capitals, are refused', async () => {
      const before = await storedIn(world)
      const right = sha256(Buffer.from('bytes'))
      for (const digest of [
        `sha512:${right.slice(7)}`,
        right.slice(0, -1),
        right.toUpperCase(),
        `${right}0`,
        `md5:${'a'.repeat(32)}`,
        'sha256:',
        ':',
        '',
        '..%2f..',
        `sha256%00:${right.slice(7)}`,
        `${right}%0a`,
      ]) {
        expectError(await pusher.upload('shop/api', Buffer.from('bytes'), digest), 400, 'DIGEST_INVALID')
      }
      assert.deepEqual(await storedIn(world), before)
    })

    test('an upload that breaks off leaves no blob; what only this request knew of is gone at once', async () => {
      const before = await storedIn(world)
      const digest = sha256(Buffer.alloc(1000, 'x'))
      await breakOff('POST', `/v2/shop/api/blobs/uploads/?digest=${digest}`)
      await eventually(async () => assert.deepEqual(await storedIn(world), before))
      const location = await begin('shop/api')
      await breakOff('PUT', `${location}?digest=${digest}`)
      await eventually(async () => assert.equal((await pusher.get(location)).headers.get('range'), '0-9'))
      expectError(await pusher.get(`/v2/shop/api/blobs/${digest}`), 404, 'BLOB_UNKNOWN')
      expectOk(
        await pusher.ask(location, { method: 'PATCH', body: Buffer.alloc(990, 'x'), headers: { ...octets, 'content-range': '10-999' } }),
        202,
      )
      expectOk(await pusher.ask(`${location}?digest=${digest}`, { method: 'PUT' }), 201)
    })

    test('a manifest that breaks off leaves nothing', async () => {
      const before = await storedIn(world)
      await breakOff('PUT', '/v2/shop/api/manifests/broken')
      await sleep(100)
      assert.deepEqual(await storedIn(world), before)
    })

    test('a chunk that does not continue, or is not as long as it says, is refused and told where to go on', async () => {
      const location = await begin('shop/api')
      expectOk(await pusher.ask(location, { method: 'PATCH', body: '0123456789', headers: { ...octets, 'content-range': '0-9' } }), 202)
      for (const range of ['0-9', '5-14', '11-20', '999999999999999-999999999999999']) {
        const [start = 0, end = 0] = range.split('-').map(Number)
        const answer = await pusher.ask(location, {
          method: 'PATCH',
          body: Buffer.alloc(Math.min(end - start + 1, 10)),
          headers: { ...octets, 'content-range': range },
        })
        expectErrorShape(answer)
        assert.equal(answer.status, 416, range)
      }
      for (const range of ['9-0', '-1-5', 'a-b', '10', '10-', '-', '10-19-29', '1e1-2e1', '10-9999999999999999999', 'bytes 10-19, 20-29']) {
        const problem = expectErrorShape(
          await pusher.ask(location, { method: 'PATCH', body: 'x', headers: { ...octets, 'content-range': range } }),
        )
        assert.equal(problem.code, 'BLOB_UPLOAD_INVALID', range)
      }
      expectErrorShape(await pusher.ask(location, { method: 'PATCH', body: 'short', headers: { ...octets, 'content-range': '10-99' } }))
      assert.equal((await pusher.get(location)).headers.get('range'), '0-9')
      expectOk(await pusher.ask(location, { method: 'DELETE' }), 204)
    })

    test('a session is of its repository and of who began it, and of nobody else', async () => {
      const location = await begin('shop/api')
      const id = location.split('/').at(-1)
      const other = await world.addRobot('other-pusher', 'pull=shop/**', 'push=shop/**')
      const stranger = await world.addRobot('strange-pusher', 'push=other/**')
      const before = await storedIn(world)
      const attempts: [string, Asker, string][] = [
        ['another repository', pusher, `/v2/shop/web/blobs/uploads/${id}`],
        ['another user', other, location],
        ['nobody of that name', pusher, `/v2/shop/api/blobs/uploads/${crypto.randomUUID()}`],
        ['a NUL', pusher, '/v2/shop/api/blobs/uploads/%00'],
        ['a path', pusher, '/v2/shop/api/blobs/uploads/..%2f..%2fetc'],
        ['a repository of its own', stranger, `/v2/other/own/blobs/uploads/${id}`],
      ]
      for (const [name, asker, path] of attempts) {
        for (const [method, query] of [
          ['GET', ''],
          ['PATCH', ''],
          ['PUT', `?digest=${sha256(Buffer.from('x'))}`],
          ['DELETE', ''],
        ] as const) {
          const answer = await asker.ask(`${path}${query}`, {
            method,
            ...(method === 'PATCH' || method === 'PUT' ? { body: 'x', headers: octets } : {}),
          })
          assert.equal(answer.status, 404, `${method} ${name}`)
          assert.equal(expectErrorShape(answer).code, name === 'a NUL' ? 'NOT_FOUND' : 'BLOB_UPLOAD_UNKNOWN', name)
        }
      }
      assert.deepEqual(await storedIn(world), before)
      expectOk(await pusher.get(location), 204)
      expectOk(await pusher.ask(location, { method: 'DELETE' }), 204)
    })

    test('two writers of one upload do not mix their bytes', async () => {
      const location = await begin('shop/api')
      const slow = await openSocket(world.port)
      slow.write(
        `PATCH ${location} HTTP/1.1\r\nhost: x\r\nauthorization: ${pusher.basic}\r\ncontent-type: application/octet-stream\r\ncontent-length: 10\r\n\r\n01234`,
      )
      await sleep(100)
      expectError(await pusher.ask(location, { method: 'PATCH', body: 'XXXXX', headers: octets }), 409, 'CONFLICT')
      expectError(await pusher.ask(`${location}?digest=${wrong}`, { method: 'PUT', body: 'XXXXX', headers: octets }), 409, 'CONFLICT')
      expectError(await pusher.ask(location, { method: 'DELETE' }), 409, 'CONFLICT')
      slow.end('56789')
      const digest = sha256(Buffer.from('0123456789'))
      await eventually(async () => assert.equal((await pusher.get(location)).headers.get('range'), '0-9'))
      expectOk(await pusher.ask(`${location}?digest=${digest}`, { method: 'PUT' }), 201)
    })

    test('bytes that do not come are not waited for without end', async () => {
      const server = new Promise<{ timeout?: number | undefined }>((resolve) => world.app.server.once('connection', resolve))
      const socket = await openSocket(world.port)
      const location = await begin('shop/api')
      socket.write(`PATCH ${location} HTTP/1.1\r\nhost: x\r\nauthorization: ${pusher.basic}\r\ncontent-length: 10\r\n\r\n0`)
      await eventually(async () => assert.equal((await server).timeout, 120_000))
      socket.write('123456789')
      await eventually(async () => assert.notEqual((await server).timeout, 120_000))
      socket.destroy()
      assert.ok(world.app.server.headersTimeout > 0 && world.app.server.headersTimeout <= 120_000, 'headers are not waited for either')
    })

    test('three hundred clients that drip keep nobody waiting', async () => {
      const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(world.port)))
      for (const [at, socket] of sockets.entries()) {
        socket.on('error', () => undefined)
        socket.write(
          `PUT /v2/shop/api/manifests/drip-${at} HTTP/1.1\r\nhost: x\r\nauthorization: ${pusher.basic}\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\ncontent-length: 4000000\r\n\r\n{`,
        )
      }
      for (let round = 0; round < 5; round++) {
        for (const socket of sockets) socket.write(' ')
        const started = performance.now()
        expectOk(await pusher.get('/v2/shop/api/tags/list'))
        assert.ok(performance.now() - started < 2000)
      }
      for (const socket of sockets) socket.destroy()
    })

    async function begin(repository: string): Promise<string> {
      return expectOk(await pusher.ask(`/v2/${repository}/blobs/uploads/`, { method: 'POST' }), 202).headers.get('location') ?? ''
    }

    /** A thousand bytes are promised, ten are sent, and the connection is gone. */
    async function breakOff(method: string, path: string): Promise<void> {
      const socket = await openSocket(world.port)
      socket.on('error', () => undefined)
      const headers = `host: x\r\nauthorization: ${pusher.basic}\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\ncontent-length: 1000\r\n`
      await new Promise<void>((resolve) => socket.write(`${method} ${path} HTTP/1.1\r\n${headers}\r\n${'x'.repeat(10)}`, () => resolve()))
      await sleep(100)
      socket.destroy()
    }
  })
}
