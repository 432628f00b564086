// A connection that is cut, at every step of a push and at several places in each: nothing is half stored, and the same push then works.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../protocol/support/eventually.ts'
import { descriptorOf, sha256 } from '../support/content.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { lacking } from '../support/tools.ts'
import { repository, sender, type Send } from './load.ts'
import { headOf, openWire, portOf } from './wire.ts'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const uploads = `/v2/${repository}/blobs/uploads/`
const blob = randomBytes(300_000)
const digest = sha256(blob)
const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}')
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
    layers: [],
  }),
)

describe('a connection that is cut', { skip: lacking('setpriv') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  let server: Lazaret
  let send: Send
  let bearer: string
  let clean: number

  before(async () => {
    server = await startLazaret(stack, { policy: 'observe' })
    send = await sender(server)
    bearer = `Bearer ${await server.protocol(server.developer).token(`repository:${repository}:pull,push`)}`
    assert.equal((await send('POST', `${uploads}?digest=${sha256(config)}`, config)).status, 201)
    clean = await objects()
  })

  test('in the head of each request', async () => {
    const heads = [
      headOf('POST', uploads, bearer, 0),
      headOf('PATCH', `${uploads}x`, bearer, blob.length),
      headOf('PUT', `${uploads}x?digest=${digest}`, bearer, blob.length),
      headOf('PUT', `/v2/${repository}/manifests/cut`, bearer, manifest.length, manifestType),
      headOf('GET', '/token?service=lazaret', 'Basic eDp5', 0),
      headOf('POST', '/token', bearer, 100, 'application/x-www-form-urlencoded'),
    ]
    for (const head of heads)
      for (const part of [0, 1, 0.5]) await cut(head, Buffer.alloc(0), Math.max(1, Math.floor(head.length * part) - 1))
    assert.equal(await objects(), clean)
    assert.equal((await send('GET', `/v2/${repository}/tags/list`)).status, 200)
  })

  test('in the body of a POST with a digest, and after it', async () => {
    const head = headOf('POST', `${uploads}?digest=${digest}`, bearer, blob.length)
    for (const bytes of places(blob)) {
      await cut(head, blob, head.length + bytes)
      await eventually(async () => assert.equal(await objects(), clean, `${bytes} bytes`))
      await absent(`/v2/${repository}/blobs/${digest}`)
    }
    await wholeOrAbsent(() => cut(head, blob, head.length + blob.length), `/v2/${repository}/blobs/${digest}`, digest)
  })

  test('in the body of a PATCH: what came is told, and gone on from', async () => {
    const other = randomBytes(300_000)
    const path = await begin()
    for (const bytes of [0, 2, 70_000, 150_000]) {
      const rest = other.subarray(await receivedOf(path))
      const head = headOf('PATCH', path, bearer, rest.length).replace('\r\n\r\n', `\r\n${rangeOf(rest)}\r\n\r\n`)
      await cut(head, rest, head.length + bytes)
    }
    await absent(`/v2/${repository}/blobs/${sha256(other)}`)
    // Until the last of them is over it has the upload (409), or moves the place at which the next begins (416).
    await eventually(async () => {
      const rest = other.subarray(await receivedOf(path))
      const headers = { authorization: bearer, 'content-range': rangeOf(rest).slice('content-range: '.length) }
      const answer = await fetch(`http://${server.host}${path}?digest=${sha256(other)}`, {
        method: 'PUT',
        headers,
        body: new Uint8Array(rest),
      })
      assert.equal(answer.status, 201)
    })
    assert.equal(sha256(Buffer.from(await (await send('GET', `/v2/${repository}/blobs/${sha256(other)}`)).arrayBuffer())), sha256(other))

    /** Where the rest of it begins and ends, as OCI has it. */
    function rangeOf(rest: Buffer): string {
      return `content-range: ${other.length - rest.length}-${other.length - 1}`
    }
  })

  test('in the body of a PUT, and after it', async () => {
    const other = randomBytes(200_000)
    for (const bytes of [...places(other), other.length]) {
      const path = await begin()
      const target = `${path}?digest=${sha256(other)}`
      const head = headOf('PUT', target, bearer, other.length)
      const stored = `/v2/${repository}/blobs/${sha256(other)}`
      if (bytes === other.length) await wholeOrAbsent(() => cut(head, other, head.length + bytes), stored, sha256(other))
      else {
        await cut(head, other, head.length + bytes)
        await eventually(async () => assert.notEqual((await send('DELETE', path)).status, 409))
        await absent(stored)
      }
    }
  })

  test('in the body of a manifest, and after it', async () => {
    const head = headOf('PUT', `/v2/${repository}/manifests/cut`, bearer, manifest.length, manifestType)
    for (const bytes of places(manifest)) {
      await cut(head, manifest, head.length + bytes)
      await absent(`/v2/${repository}/manifests/cut`)
      await absent(`/v2/${repository}/manifests/${sha256(manifest)}`)
    }
    await wholeOrAbsent(() => cut(head, manifest, head.length + manifest.length), `/v2/${repository}/manifests/cut`, sha256(manifest))
    assert.equal((await send('PUT', `/v2/${repository}/manifests/cut`, manifest, manifestType)).status, 201)
    const read = Buffer.from(await (await send('GET', `/v2/${repository}/manifests/cut`)).arrayBuffer())
    assert.equal(sha256(read), sha256(manifest))
    assert.doesNotMatch(server.daemon.log(), /"level":"(error|fatal)"/)
  })

  test('in the middle of a pull: the server keeps no file open for who went away', async () => {
    const large = randomBytes(32 << 20)
    assert.equal((await send('POST', `${uploads}?digest=${sha256(large)}`, large)).status, 201)
    for (let at = 0; at < 20; at++) {
      const wire = await openWire(portOf(server.host))
      wire.socket.write(headOf('GET', `/v2/${repository}/blobs/${sha256(large)}`, bearer, 0))
      await wire.until(/^HTTP\/1\.1 200 [^]*\r\n\r\n/)
      wire.socket.destroy()
    }
    await eventually(async () => assert.deepEqual(await openObjects(), []), 1000) // some seconds for who comes next
  })

  /** Sends so many bytes of a head and a body, and is gone when they have left. */
  async function cut(head: string, body: Buffer, bytes: number): Promise<void> {
    const wire = await openWire(portOf(server.host))
    const all = Buffer.concat([Buffer.from(head), body]).subarray(0, bytes)
    await new Promise<void>((resolve) => wire.socket.write(all, () => resolve()))
    wire.socket.destroy()
    await wire.closed
  }

  async function wholeOrAbsent(work: () => Promise<void>, path: string, expected: string): Promise<void> {
    await work()
    const answer = await send('GET', path)
    const body = Buffer.from(await answer.arrayBuffer())
    if (answer.status !== 404) assert.deepEqual([answer.status, sha256(body)], [200, expected])
  }

  async function absent(path: string): Promise<void> {
    assert.equal((await send('GET', path)).status, 404, path)
  }

  async function begin(): Promise<string> {
    return (await send('POST', uploads)).headers.get('location') ?? assert.fail()
  }

  async function receivedOf(path: string): Promise<number> {
    const last = Number(((await send('GET', path)).headers.get('range') ?? '').split('-')[1])
    return last === 0 ? 0 : last + 1
  }

  /** Those that the server has open. */
  async function openObjects(): Promise<string[]> {
    const folder = `/proc/${server.daemon.pid}/fd`
    const links = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(unlessClosed)))
    return links.filter((link) => link.startsWith(join(server.folder, 'data', 'blobs')))
  }

  async function objects(): Promise<number> {
    const entries = await readdir(join(server.folder, 'data', 'blobs'), { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).length
  }
})

function unlessClosed(error: NodeJS.ErrnoException): string {
  if (error.code !== 'ENOENT') throw error
  return ''
}

/** Of bytes: none, one, some, all but one. */
function places(bytes: Buffer): number[] {
  return [0, 1, Math.floor(bytes.length / 2), bytes.length - 1]
}
