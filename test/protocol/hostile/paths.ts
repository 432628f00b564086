// Paths, methods, headers and framing that no honest client sends, on raw sockets.

import assert from 'node:assert/strict'
import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Content } from '../../support/content.ts'
import type { Asker } from '../support/asker.ts'
import { cleanImage, partsOf } from '../support/images.ts'
import { exchange, openSocket, parseAnswer, rawRequest, statusLines } from '../support/raw.ts'
import { expectError, expectErrorShape, expectOk } from '../support/shapes.ts'
import { storedIn } from '../support/stored.ts'
import { eventually } from '../support/eventually.ts'
import type { OpenWorld, World } from '../support/world.ts'

export function pathSuite(open: OpenWorld): void {
  describe('paths and framing', () => {
    let world: World
    let pusher: Asker
    let hidden: Content
    let secrets: string[]

    before(async () => {
      world = await open()
      pusher = await world.addRobot('pusher', 'pull=shop/**', 'push=shop/**')
      hidden = await cleanImage('hidden')
      await world.push('other/hidden', hidden, 'secret-tag')
      await world.push('shop/api', await cleanImage('own'), '1')
      secrets = ['secret-tag', hidden.root.digest, partsOf(hidden).config, 'root:x:0']
    })
    after(() => world[Symbol.asyncDispose]())

    const raw = (method: string, path: string, headers: Record<string, string> = {}, body = '') =>
      rawRequest(world.port, method, path, { authorization: pusher.basic ?? '', ...headers }, body)

    test('no spelling of a path reaches another repository or a file', async () => {
      const ways = [
        '/v2/shop/api/../../other/hidden/manifests/secret-tag',
        '/v2/shop/api/%2e%2e/%2e%2e/other/hidden/manifests/secret-tag',
        '/v2/shop/api/..%2f..%2fother/hidden/manifests/secret-tag',
        '/v2/shop/../other/hidden/tags/list',
        '/v2/shop%2f..%2fother%2fhidden/tags/list',
        '/v2/other%2fhidden/tags/list',
        '/v2/%6fther/hidden/tags/list',
        '/v2//other/hidden/tags/list',
        '/v2/other//hidden/tags/list',
        '/v2/./other/hidden/tags/list',
        '/v2/other/hidden/./tags/list',
        '/v2/other/hidden/tags/list/',
        '/v2/other/hidden/tags//list',
        '/v2/other/hidden/tags/%6cist',
        '/v2/OTHER/hidden/tags/list',
        '/v2/other/hidden;/tags/list',
        '/v2/other/hidden/tags/list;x=1',
        '/v2/other\\hidden/tags/list',
        '/v2/shop/api\\..\\..\\other\\hidden/tags/list',
        '/v2/other/hidden%00/tags/list',
        '/v2/shop/api/manifests/..%2f..%2f..%2fother%2fhidden%2fmanifests%2fsecret-tag',
        '/v2/shop/api/manifests/%2e%2e',
        '/v2/shop/api/manifests/..',
        '/v2/shop/api/blobs/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd',
        '/v2/shop/api/blobs/sha256:..%2f..%2f..%2fetc%2fpasswd',
        '/v2/shop/api/blobs/../../../../../../../etc/passwd',
        '/v2/../../../../etc/passwd',
        '/v2/..;/etc/passwd',
        `/v2/shop/api/blobs/${partsOf(hidden).config}`,
        `/v2/shop/api/manifests/${hidden.root.digest}`,
        `/v2/shop/api/referrers/..%2f${hidden.root.digest}`,
        '/v2/_catalog/',
        '/v2/_catalog/..',
        '/v2/%5fcatalog',
        '/v2//_catalog',
        '/v2/_CATALOG',
        '/v2/shop/api/tags/list%3fn=1',
        '/v2/shop/api/manifests/1%0d%0aset-cookie:%20a=b',
        '/v2/shop/api/manifests/%ff%fe',
        '/v2/shop/api/manifests/%c0%ae%c0%ae',
        `/v2/${'a/'.repeat(200)}b/tags/list`,
        `/v2/${'a'.repeat(256)}/tags/list`,
        `/v2/${'a'.repeat(7000)}/tags/list`,
        `/v2/shop/api/manifests/${'a'.repeat(7000)}`,
        `/v2/${'../'.repeat(1000)}etc/passwd`,
      ]
      for (const path of ways) {
        for (const method of ['GET', 'DELETE', 'PUT']) {
          const answer = await raw(
            method,
            path,
            method === 'PUT' ? { 'content-type': 'application/vnd.oci.image.manifest.v1+json' } : {},
            method === 'PUT' ? '{}' : '',
          )
          assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${path.slice(0, 100)}: ${answer.status}`)
          const text = `${JSON.stringify([...answer.headers])}${answer.body.toString('utf8')}`
          for (const secret of secrets.filter((one) => !path.includes(one)))
            assert.ok(!text.includes(secret), `${method} ${path} told ${secret}`)
          expectErrorShape(answer)
        }
      }
      expectOk(await raw('GET', '/v2/shop/api/manifests/1'))
      assert.equal(await world.decision('other/hidden:secret-tag'), 'allow')
    })

    test('any path below /v2 is answered in OCI form', async () => {
      const piece = fc.oneof(
        fc.constantFrom(
          'shop',
          'api',
          'manifests',
          'blobs',
          'uploads',
          'tags',
          'list',
          'referrers',
          '_catalog',
          '..',
          '.',
          '',
          '%2e',
          '%2f',
          '~',
          '*',
        ),
        fc.string({ minLength: 1, maxLength: 8 }).map((text) => encodeURIComponent(text.toWellFormed())),
      )
      await fc.assert(
        fc.asyncProperty(
          fc.array(piece, { maxLength: 8 }),
          fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
          async (pieces, method) => {
            const answer = await raw(method, `/v2/${pieces.join('/')}`)
            if (answer.status < 400) return
            if (method === 'HEAD') assert.ok(answer.status < 500)
            else expectErrorShape(answer)
          },
        ),
        { numRuns: 300 },
      )
    })

    test('a method that OCI has not is 405 with Allow, in OCI form', async () => {
      for (const method of ['OPTIONS', 'TRACE', 'PROPFIND', 'LOCK', 'PURGE', 'SEARCH']) {
        const answer = await raw(method, '/v2/shop/api/manifests/1')
        expectError(answer, 405, 'UNSUPPORTED')
        assert.equal(answer.headers.get('allow'), 'GET, HEAD, PUT, DELETE')
      }
      expectError(await raw('POST', '/v2/shop/api/tags/list'), 405, 'UNSUPPORTED')
      expectError(await raw('DELETE', '/v2/_catalog'), 405, 'UNSUPPORTED')
      expectErrorShape(await raw('QUERY', '/v2/shop/api/tags/list'))
      for (const method of ['X'.repeat(1000), 'get', 'G\u00e9T']) assert.equal((await raw(method, '/v2/')).status, 400, method)
    })

    test('n of every form', async () => {
      for (const path of ['/v2/shop/api/tags/list', '/v2/_catalog']) {
        for (const n of ['-1', '1e9', '0x10', '1.5', '+1', '%201', 'NaN', 'Infinity', '', '9'.repeat(400), '1%00', '%d9%a1']) {
          expectError(await raw('GET', `${path}?n=${n}`), 400, 'PAGINATION_NUMBER_INVALID')
        }
        for (const n of ['1000000000', '999999999999999', '1001']) {
          const answer = expectOk(await raw('GET', `${path}?n=${n}`))
          assert.ok(answer.body.length < 10_000)
        }
        assert.deepEqual(Object.values(JSON.parse(expectOk(await raw('GET', `${path}?n=0`)).body.toString('utf8')) as object).at(-1), [])
        for (const last of ['%00', "' or 1=1 --", '%ff', 'z'.repeat(5000), '..%2f', '\\', '%25'].map((text) =>
          text.replaceAll(' ', '%20'),
        )) {
          expectOk(await raw('GET', `${path}?n=10&last=${last}`))
        }
      }
      for (const query of ['last=%00', `last=${'z'.repeat(5000)}`, 'artifactType=%00', 'artifactType=', 'last=a&last=b', 'n=-1']) {
        const answer = await raw('GET', `/v2/shop/api/referrers/${hidden.root.digest}?${query}`)
        if (answer.status !== 200) expectErrorShape(answer)
      }
    })

    test('two lengths, a length and pieces, and other framings that two readers read apart are refused, and the line is closed', async () => {
      const digest = (await cleanImage('own')).root.digest
      const inner = `DELETE /v2/shop/api/manifests/${digest} HTTP/1.1\r\nhost: x\r\nauthorization: ${world.admin.basic}\r\n\r\n`
      const head = `PATCH /v2/shop/api/blobs/uploads/x HTTP/1.1\r\nhost: x\r\nauthorization: ${pusher.basic}\r\n`
      const framings: Record<string, string> = {
        'two lengths': `content-length: 0\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`,
        'two equal lengths': `content-length: ${inner.length}\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`,
        'lengths in a list': `content-length: 0, ${inner.length}\r\n\r\n${inner}`,
        'length and pieces': `content-length: ${inner.length}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
        'pieces and length': `transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n${inner}`,
        'pieces hidden by a space': `content-length: 0\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n${inner}`,
        'pieces hidden by another coding': `transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner}`,
        'unknown coding': `transfer-encoding: xchunked\r\n\r\n0\r\n\r\n${inner}`,
        'signed length': `content-length: +0\r\n\r\n${inner}`,
        'hexadecimal length': `content-length: 0x0\r\n\r\n${inner}`,
        'negative length': `content-length: -1\r\n\r\n${inner}`,
        'huge length': `content-length: ${'9'.repeat(40)}\r\n\r\n${inner}`,
        'folded header': `content-length:\r\n 0\r\n\r\n${inner}`,
        'bare line feeds': `content-length: 0\n\n${inner}`,
        'bare carriage return': `x: a\rcontent-length: 0\r\n\r\n${inner}`,
        'NUL in a header': `x: a\0b\r\ncontent-length: 0\r\n\r\n${inner}`,
        'header without a name': `: a\r\ncontent-length: 0\r\n\r\n${inner}`,
        'bad piece length': `transfer-encoding: chunked\r\n\r\n-1\r\n${inner}`,
        'huge piece length': `transfer-encoding: chunked\r\n\r\n${'f'.repeat(20)}\r\n${inner}`,
      }
      for (const [name, framing] of Object.entries(framings)) {
        const answers = statusLines(await exchange(world.port, head + framing, { keepOpen: true, timeoutMs: 3000 }))
        assert.equal(answers.length, 1, `${name}: ${answers.join(' | ')}`)
        assert.match(answers[0] ?? '', /^HTTP\/1\.1 4\d\d /, name)
      }
      expectOk(await pusher.get(`/v2/shop/api/manifests/${digest}`))
    })

    test('a body that nobody asked for is not read as the next request', async () => {
      const inner = `GET /v2/_catalog HTTP/1.1\r\nhost: x\r\n\r\n`
      for (const method of ['GET', 'DELETE']) {
        const text = await exchange(
          world.port,
          `${method} /v2/shop/api/manifests/absent HTTP/1.1\r\nhost: x\r\nauthorization: ${pusher.basic}\r\ncontent-length: ${inner.length}\r\n\r\n${inner}`,
          { keepOpen: true, timeoutMs: 1500 },
        )
        assert.equal(statusLines(text).length, 1, text)
      }
    })

    test('a flood of headers, in size or in number', async () => {
      const large = parseAnswer(
        await exchange(world.port, `GET /v2/ HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(100_000)}\r\n\r\n`, { keepOpen: true }),
      )
      assert.equal(large.status, 431)
      const many = Array.from({ length: 5000 }, (_, at) => `x${at}: y`).join('\r\n')
      const counted = parseAnswer(await exchange(world.port, `GET /v2/ HTTP/1.1\r\nhost: x\r\n${many}\r\n\r\n`, { keepOpen: true }))
      assert.equal(counted.status, 431)
      const longPath = parseAnswer(
        await exchange(world.port, `GET /v2/${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, { keepOpen: true }),
      )
      assert.equal(longPath.status, 431)
    })

    test('the target in its other forms gives what its path gives, and never another host', async () => {
      for (const target of [
        `http://evil.example/v2/other/hidden/tags/list`,
        `http://${world.host}/v2/other/hidden/tags/list`,
        '*',
        'v2/other/hidden/tags/list',
        '//evil.example/v2/other/hidden/tags/list',
        '/v2/other/hidden/tags/list#/v2/shop/api/tags/list',
      ]) {
        const answer = await raw(target === '*' ? 'OPTIONS' : 'GET', target)
        assert.ok(answer.status >= 400 && answer.status < 500, `${target}: ${answer.status}`)
        assert.ok(!answer.body.toString('utf8').includes('secret-tag'))
      }
      const challenge = (await rawRequest(world.port, 'GET', '/v2/', { host: 'evil.example' })).headers.get('www-authenticate') ?? ''
      assert.match(challenge, /^Bearer realm="http:\/\/127\.0\.0\.1:\d+\/token",service="lazaret"$/)
    })

    test('requests in a row on one line are answered in their order', async () => {
      const ask = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${pusher.basic}\r\n${more}\r\n`
      const text = await exchange(
        world.port,
        `${ask('/v2/')}${ask('/v2/shop/api/manifests/absent')}${ask('/v2/shop/api/tags/list', 'connection: close\r\n')}`,
        { keepOpen: true },
      )
      assert.deepEqual(
        statusLines(text).map((line) => line.slice(9, 12)),
        ['200', '404', '200'],
      )
    })

    test('a client that says goodbye in the middle leaves the server as it was', async () => {
      const before = await storedIn(world)
      const request = `GET /v2/shop/api/blobs/${partsOf(await cleanImage('own')).layers[0]} HTTP/1.1\r\nhost: x\r\nauthorization: ${pusher.basic}\r\n\r\n`
      for (let at = 0; at < 100; at++) {
        const socket = await openSocket(world.port)
        socket.on('error', () => undefined)
        socket.write(at < 50 ? request.slice(0, at * 5) : request)
        await sleep(at % 4)
        socket.destroy()
      }
      expectOk(await pusher.get('/v2/shop/api/manifests/1'))
      assert.deepEqual(await storedIn(world), before)
      // A file that is left open is closed by the garbage collector, which then ends the process.
      await eventually(async () => assert.deepEqual(await openObjects(world), []), 1000) // some seconds for who comes next
    })
  })
}

/** Objects of this world that this process has open for reading. */
async function openObjects(world: World): Promise<string[]> {
  const links = await Promise.allSettled((await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`)))
  return links.flatMap((link) =>
    link.status === 'fulfilled' && link.value.startsWith(join(world.folder, 'data', 'blobs')) ? [link.value] : [],
  )
}
