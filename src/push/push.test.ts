import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, test } from 'node:test'
import { scratch } from '../../test/support/scratch.ts'
import { LazaretError } from '../kit/errors.ts'
import type { Answer, OciRequest } from '../kit/http.ts'
import type { Action, Principal } from '../model/access.ts'
import { mediaTypes } from '../model/manifest.ts'
import { mostManifestBytes } from '../store/manifests/parse.ts'
import { openSqliteRecords } from '../store/records/sqlite.ts'
import { repositoryFinder, type Repository } from '../store/repositories.ts'
import { descriptor, digestOfBytes, imageJson, openWorld, pushBlob, pushImage, repository, type World } from '../store/suites/world.ts'
import { createBlobPush, type BlobPush } from './blobs.ts'
import { createManifestPush, type ManifestPush } from './manifests.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'push')
let opened = 0

const who = (name: string, ...grants: string[]): Principal => ({
  kind: 'user',
  name,
  grants: grants.map((grant) => ({ action: grant.split('=')[0] as Action, pattern: grant.split('=')[1] ?? '' })),
})
const dev = who('dev', 'push=shop/**', 'pull=shop/**')

interface Place {
  world: World
  blobs: BlobPush
  manifests: ManifestPush
  /** What the gate was asked, and what it says. */
  gate: { asked: string[]; says: (from: Repository) => boolean }
  woken: { count: number }
}

async function begin(): Promise<Place> {
  const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
  stack.defer(() => records.close())
  const world = await openWorld(stack, async () => records)
  const woken = { count: 0 }
  const gate: Place['gate'] = { asked: [], says: () => true }
  const mayTake = async (_request: OciRequest, from: Repository) => {
    gate.asked.push(from.name)
    return gate.says(from)
  }
  const parts = {
    records,
    blobs: world.blobs,
    findRepository: repositoryFinder(records),
    onAccepted: () => void woken.count++,
    now: () => world.clock.now,
  }
  return {
    world,
    blobs: createBlobPush({ ...parts, uploads: world.uploads, mayTake }),
    manifests: createManifestPush({ ...parts, manifests: world.manifests, immutableTags: async () => undefined }),
    gate,
    woken,
  }
}

interface Asked {
  reference?: string
  query?: string
  headers?: Record<string, string>
  body?: string | Readable
  repository?: string
  principal?: Principal
}

function request(asked: Asked = {}): OciRequest {
  const { reference = '', query = '', headers = {}, body = '', repository: name = 'shop/api', principal = dev } = asked
  return {
    principal,
    address: '192.0.2.1',
    repository: name,
    reference,
    query: new URLSearchParams(query),
    headers,
    body: typeof body === 'string' ? Readable.from(body === '' ? [] : [Buffer.from(body)]) : body,
    signal: new AbortController().signal,
  }
}

const idOf = (answer: Answer) => String(answer.headers['docker-upload-uuid'])

describe('pushing blobs', () => {
  test('in one request: stored, and the workers woken', async () => {
    const { world, blobs, woken } = await begin()
    const answer = await blobs.start(request({ query: `digest=${digestOfBytes('abc')}`, body: 'abc' }))
    assert.deepEqual([answer.status, answer.headers['location'], woken.count], [201, `/v2/shop/api/blobs/${digestOfBytes('abc')}`, 1])
    assert.equal((await world.blobs.find('shop/api', digestOfBytes('abc')))?.sizeBytes, 3)
  })

  test('in one request that fails: nothing is left of it', async () => {
    const { world, blobs } = await begin()
    await assert.rejects(blobs.start(request({ query: `digest=${digestOfBytes('abc')}`, body: 'abd' })), { code: 'DIGEST_INVALID' })
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('ab')
        throw new Error('the line broke')
      })(),
    )
    await assert.rejects(blobs.start(request({ query: `digest=${digestOfBytes('abc')}`, body: broken })), /the line broke/)
    await assert.rejects(blobs.start(request({ query: 'digest=sha256:x', body: 'abc' })), { code: 'DIGEST_INVALID' })
    assert.deepEqual([await world.files(), await rows(world)], [[], 0])
  })

  test('in steps, as the spec has them', async () => {
    const { blobs } = await begin()
    const begun = await blobs.start(request())
    const id = idOf(begun)
    assert.deepEqual([begun.status, begun.headers['location'], begun.headers['range']], [202, `/v2/shop/api/blobs/uploads/${id}`, '0-0'])
    const patched = await blobs.patch(request({ reference: id, headers: { 'content-range': '0-2', 'content-length': '3' }, body: 'abc' }))
    assert.deepEqual([patched.status, patched.headers['range']], [202, '0-2'])
    const status = await blobs.status(request({ reference: id }))
    assert.deepEqual([status.status, status.headers['range']], [204, '0-2'])
    const finished = await blobs.finish(
      request({ reference: id, query: `digest=${digestOfBytes('abcdef')}`, headers: { 'content-range': '3-5' }, body: 'def' }),
    )
    assert.equal(finished.status, 201)
  })

  test('out of order: 416, with where it stands', async () => {
    const { blobs } = await begin()
    const id = idOf(await blobs.start(request()))
    await blobs.patch(request({ reference: id, body: 'abc' }))
    const wrong = blobs.patch(request({ reference: id, headers: { 'content-range': '5-7' }, body: 'xyz' }))
    await assert.rejects(wrong, {
      code: 'BLOB_UPLOAD_INVALID',
      status: 416,
      headers: { location: `/v2/shop/api/blobs/uploads/${id}`, range: '0-2' },
    })
  })

  test('a chunk that is not what its range says is refused', async () => {
    const { blobs } = await begin()
    const id = idOf(await blobs.start(request()))
    const patch = (headers: Record<string, string>, body: string) => blobs.patch(request({ reference: id, headers, body }))
    for (const range of ['x', '3-1', '-1', '0-', '0-2-4', 'bytes 0-2/x', '99999999999999999-1', '0-2, 4-5'])
      await assert.rejects(patch({ 'content-range': range }, 'abc'), { code: 'BLOB_UPLOAD_INVALID' }, range)
    await assert.rejects(patch({ 'content-range': '0-2', 'content-length': '4' }, 'abcd'), { code: 'BLOB_UPLOAD_INVALID' })
    await assert.rejects(patch({ 'content-range': '0-2' }, 'abcd'), { code: 'BLOB_UPLOAD_INVALID', message: /more came than the 3 bytes/ })
    await assert.rejects(patch({ 'content-range': '0-2' }, 'ab'), { code: 'BLOB_UPLOAD_INVALID', message: /2 bytes came/ })
  })

  test("somebody else's, another repository's, and none: unknown, and no repository is made by asking", async () => {
    const { world, blobs } = await begin()
    const id = idOf(await blobs.start(request()))
    const others: Asked[] = [
      { principal: who('eve', 'push=**') },
      { principal: { ...dev, kind: 'robot' } },
      { repository: 'shop/other' },
      { reference: 'none' },
    ]
    for (const other of others) {
      const asked = { reference: id, ...other }
      for (const step of [blobs.status, blobs.patch, blobs.cancel])
        await assert.rejects(step(request(asked)), { code: 'BLOB_UPLOAD_UNKNOWN' })
      await assert.rejects(blobs.finish(request({ ...asked, query: `digest=${digestOfBytes('')}` })), { code: 'BLOB_UPLOAD_UNKNOWN' })
    }
    assert.deepEqual(await world.manifests.repositories('', 10), ['shop/api'])
    assert.equal((await blobs.cancel(request({ reference: id }))).status, 204)
  })

  test('deleted: the link alone, and once', async () => {
    const { world, blobs } = await begin()
    const blob = await pushBlob(world, 'shop/api', 'x')
    await pushBlob(world, 'shop/web', 'x')
    assert.equal((await blobs.remove(request({ reference: blob.digest }))).status, 202)
    for (const reference of [blob.digest, digestOfBytes('never')])
      await assert.rejects(blobs.remove(request({ reference })), { code: 'BLOB_UNKNOWN' })
    await assert.rejects(blobs.remove(request({ reference: blob.digest, repository: 'shop/none' })), { code: 'BLOB_UNKNOWN' })
    assert.ok((await world.blobs.find('shop/web', blob.digest)) !== undefined)
  })
})

describe('mounting', () => {
  const mount = (text: string, from?: string) => `mount=${digestOfBytes(text)}${from === undefined ? '' : `&from=${from}`}`

  test('from a named repository, where the gate lets it', async () => {
    const { world, blobs, gate } = await begin()
    await pushBlob(world, 'web/base', 'layer')
    await pushBlob(world, 'web/other', 'other')
    gate.says = () => false
    assert.equal((await blobs.start(request({ query: mount('layer', 'web/base') }))).status, 202)
    assert.equal(await world.blobs.find('shop/api', digestOfBytes('layer')), undefined)
    gate.says = () => true
    const answer = await blobs.start(request({ query: mount('layer', 'web/base') }))
    assert.deepEqual([answer.status, answer.headers['docker-content-digest']], [201, digestOfBytes('layer')])
    assert.ok((await world.blobs.find('shop/api', digestOfBytes('layer'))) !== undefined)
    assert.deepEqual(gate.asked, ['web/base', 'web/base'])
    for (const query of [
      mount('layer', 'web/none'),
      mount('layer', 'web/other'),
      mount('none', 'web/base'),
      mount('layer', '../x'),
      mount('layer', 'A%00'),
    ]) {
      assert.equal((await blobs.start(request({ query, repository: 'shop/new' }))).status, 202, query)
    }
    await assert.rejects(blobs.start(request({ query: 'mount=sha256:x&from=web/base' })), { code: 'DIGEST_INVALID' })
  })

  test('from anywhere: only what the grants reach is asked for, and not without end', async () => {
    const { world, blobs, gate } = await begin()
    for (let at = 0; at < 60; at++) await pushBlob(world, `web/r${at}`, 'layer')
    assert.equal((await blobs.start(request({ query: mount('layer') }))).status, 202)
    assert.deepEqual(gate.asked, [])
    gate.says = () => false
    assert.equal((await blobs.start(request({ query: mount('layer'), principal: who('all', 'pull=**', 'push=shop/**') }))).status, 202)
    assert.equal(gate.asked.length, 20)
    await pushBlob(world, 'shop/zz', 'layer')
    gate.says = (from) => from.name === 'shop/zz'
    assert.equal((await blobs.start(request({ query: mount('layer') }))).status, 201)
  })

  test('what is here already is mounted without asking', async () => {
    const { world, blobs, gate } = await begin()
    await pushBlob(world, 'shop/api', 'layer')
    gate.says = () => false
    for (const query of [mount('layer'), mount('layer', 'shop/api')]) assert.equal((await blobs.start(request({ query }))).status, 201)
  })
})

describe('pushing manifests', () => {
  test('by tag, by digest, by digest with tags', async () => {
    const { world, manifests, woken } = await begin()
    const { json, blobs } = imageJson(['layer'])
    for (const blob of blobs) await pushBlob(world, 'shop/api', blob)
    const body = JSON.stringify(json)
    const headers = { 'content-type': mediaTypes.ociManifest }
    const digest = digestOfBytes(body)
    const byTag = await manifests.put(request({ reference: '1.0', headers, body }))
    assert.deepEqual(
      [byTag.status, byTag.headers['docker-content-digest'], byTag.headers['location']],
      [201, digest, `/v2/shop/api/manifests/${digest}`],
    )
    const byDigest = await manifests.put(request({ reference: digest, query: 'tag=b&tag=a&tag=b', headers, body }))
    assert.deepEqual(byDigest.headers['oci-tag'], ['b', 'a'])
    assert.deepEqual(await world.manifests.tags((await repository(world, 'shop/api')).id, '', 10), ['1.0', 'a', 'b'])
    assert.equal(woken.count, 2)
    await assert.rejects(manifests.put(request({ reference: digestOfBytes('other'), headers, body })), { code: 'DIGEST_INVALID' })
  })

  test('a subject is told of', async () => {
    const { world, manifests } = await begin()
    const { json, blobs } = imageJson(['layer'], { subject: descriptor(mediaTypes.ociManifest, 's') })
    for (const blob of blobs) await pushBlob(world, 'shop/api', blob)
    const answer = await manifests.put(
      request({ reference: 't', headers: { 'content-type': mediaTypes.ociManifest }, body: JSON.stringify(json) }),
    )
    assert.equal(answer.headers['oci-subject'], digestOfBytes('s'))
  })

  test('names that are none, too many, and too many bytes', async () => {
    const { manifests } = await begin()
    const put = (reference: string, query = '', body: string | Readable = '{}') => manifests.put(request({ reference, query, body }))
    for (const reference of ['', '.a', 'a b', 'x'.repeat(129), 'sha256:x', `md5:${'0'.repeat(32)}`, 'a\n'])
      await assert.rejects(put(reference), { code: 'TAG_INVALID' }, reference)
    await assert.rejects(put('a', 'tag=%0a'), { code: 'TAG_INVALID' })
    await assert.rejects(put(digestOfBytes('x'), Array.from({ length: 101 }, (_, at) => `tag=t${at}`).join('&')), { code: 'TAG_INVALID' })
    let given = 0
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          given += 1 << 20
          yield Buffer.alloc(1 << 20, ' ')
        }
      })(),
    )
    await assert.rejects(put('a', '', endless), { code: 'MANIFEST_INVALID', status: 413 })
    assert.ok(given <= mostManifestBytes + 20 * (1 << 20))
    for (const body of ['', '{}', 'null'])
      await assert.rejects(put('a', '', body), (error) => error instanceof LazaretError && error.code === 'MANIFEST_INVALID')
  })

  test('removed by tag: the tag alone; by digest: the manifest with its tags', async () => {
    const { world, manifests } = await begin()
    const pushed = await pushImage(world, 'shop/api', ['a', 'b'])
    assert.equal((await manifests.remove(request({ reference: 'a' }))).status, 202)
    assert.equal((await world.manifests.byTag('shop/api', 'b'))?.digest, pushed.digest)
    assert.equal((await manifests.remove(request({ reference: pushed.digest }))).status, 202)
    assert.equal(await world.manifests.byTag('shop/api', 'b'), undefined)
    for (const reference of ['a', 'b', pushed.digest, '', 'x y'])
      await assert.rejects(manifests.remove(request({ reference })), { code: 'MANIFEST_UNKNOWN' })
    await assert.rejects(manifests.remove(request({ reference: 'a', repository: 'shop/none' })), { code: 'MANIFEST_UNKNOWN' })
  })

  test('the same tag by many at once is one of them, whole', async () => {
    const { world, manifests } = await begin()
    const bodies = await Promise.all(
      Array.from({ length: 10 }, async (_, at) => {
        const { json, blobs } = imageJson([`layer ${at}`])
        for (const blob of blobs) await pushBlob(world, 'shop/api', blob)
        return JSON.stringify(json)
      }),
    )
    await Promise.all(
      bodies.map((body) => manifests.put(request({ reference: 'latest', headers: { 'content-type': mediaTypes.ociManifest }, body }))),
    )
    const held = await world.manifests.byTag('shop/api', 'latest')
    assert.ok(bodies.includes(Buffer.from(held?.content ?? []).toString()))
  })
})

async function rows(world: World): Promise<number> {
  return (await world.records.read.selectFrom('uploads').select('id').execute()).length
}
