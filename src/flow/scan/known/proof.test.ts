// Whether bytes are those that were read before: of a layout's file by its mark, of all else by hashing.
import assert from 'node:assert/strict'
import { rename, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sha256 } from '../../../../test/support/content.ts'
import { scratch } from '../../../../test/support/scratch.ts'
import { parseDigest, type Digest } from '../../../model/digest.ts'
import type { SourceLayer } from '../source.ts'
import { markOf } from './files.ts'
import { openKnown, type Known } from './known.ts'
import { provenDigest, provingLayer } from './proof.ts'

const stack = new AsyncDisposableStack()
let folder = ''
let known: Known
let opened = 0
let path = ''
before(async () => (folder = await scratch(stack, 'proof')))
after(() => stack.disposeAsync())
beforeEach(async () => {
  const place = join(folder, crypto.randomUUID())
  const found = openKnown(join(place, 'known'), (text) => assert.fail(text))
  assert.ok(found)
  known = found
  opened = 0
  path = `${place}-blob`
  await writeFile(path, bytes)
})

const bytes = Buffer.from('the bytes of a layer')
const digest = digestFor(bytes)
const none = () => undefined
/** A time that can be set again to the nanosecond. */
const wholeSecond = 1_700_000_000

function digestFor(of: Buffer): Digest {
  const found = parseDigest(sha256(of))
  assert.ok(found)
  return found
}

function layer(more: Partial<SourceLayer>, content: Buffer = bytes): SourceLayer {
  const open = () => {
    opened++
    return Readable.from([content], { objectMode: false })
  }
  const storedDigest = async () => {
    opened++
    return digestFor(content)
  }
  return { open, storedDigest, ...more }
}

async function drained(stream: Readable): Promise<void> {
  for await (const _ of stream);
}

async function remembered(at: number): Promise<Digest | undefined> {
  const proving = provingLayer(layer({ digest, path }), known, () => at)
  await drained(proving.open())
  assert.equal(await proving.digest(undefined), digest)
  return await known.fileDigest(path, markOf(path)?.mark ?? '')
}

test('a file of a layout is not read again while it is the one that was hashed', async () => {
  assert.equal(await remembered(Date.now() + 60_000), digest)
  opened = 0
  assert.equal(await provenDigest(layer({ digest, path }), known, none), digest)
  assert.equal(opened, 0)
})

test('a file that was changed right before it was read is not taken for the same: its time may not change with it', async () => {
  assert.equal(await remembered(Date.now()), undefined)
})

test('a file whose bytes are changed, under the same size and time, is hashed again', async () => {
  await utimes(path, wholeSecond, wholeSecond)
  await remembered(Date.now() + 60_000)
  await writeFile(path, Buffer.from('THE BYTES OF A LAYER'))
  await utimes(path, wholeSecond, wholeSecond)
  assert.deepEqual([(await stat(path)).mtimeMs, (await stat(path)).size], [wholeSecond * 1000, bytes.length])
  assert.equal(await provenDigest(layer({ digest, path }), known, none), undefined)
})

test('another file in its place, with the same size and times, is hashed again', async () => {
  await utimes(path, wholeSecond, wholeSecond)
  await remembered(Date.now() + 60_000)
  await writeFile(`${path}.other`, Buffer.from('THE BYTES OF A LAYER'))
  await utimes(`${path}.other`, wholeSecond, wholeSecond)
  await rename(`${path}.other`, path)
  assert.equal(await provenDigest(layer({ digest, path }), known, none), undefined)
})

test('a file that is changed while it is read is not remembered', async () => {
  const proving = provingLayer(layer({ digest, path }), known, () => Date.now() + 60_000)
  await writeFile(path, 'others')
  await drained(proving.open())
  await proving.digest(undefined)
  assert.equal(await known.fileDigest(path, markOf(path)?.mark ?? ''), undefined)
})

test('what a file was is said of the digest that it had, not of another that an index gives it', async () => {
  await remembered(Date.now() + 60_000)
  const other = digestFor(Buffer.from('other bytes'))
  assert.equal(await provenDigest(layer({ digest: other, path }), known, none), undefined)
})

test('a name alone proves nothing: what it names is hashed, and only where it is known', async () => {
  assert.equal(await provenDigest(layer({ diffId: digest }), known, none), undefined)
  assert.equal(opened, 0)
  await known.keepFacts(digest, 'r', factsFor(digest))
  assert.equal(await provenDigest(layer({ diffId: digest }), known, none), digest)
  const others = Buffer.from('other bytes')
  assert.equal(await provenDigest(layer({ diffId: digest }, others), known, none), digestFor(others))
  assert.equal(opened, 2)
})

test('of a registry the digest that was asked for is enough; of an SBOM nothing is known', async () => {
  assert.equal(await provenDigest(layer({ digest, isAsked: true }), known, none), digest)
  const facts = async () => factsFor(digest)
  assert.equal(await provenDigest(layer({ digest, isAsked: true, facts }), known, none), undefined)
  assert.equal(opened, 0)
})

test('a layer that is walked tells its digest: of a plain tar the diffID, else by hashing; none where it was not read to its end', async () => {
  const diffId = digestFor(Buffer.from('the tar'))
  const walked = async (content: Buffer) => {
    const proving = provingLayer(layer({}, content), known)
    assert.equal(await proving.digest(diffId), undefined)
    await drained(proving.open())
    return await proving.digest(diffId)
  }
  assert.equal(await walked(bytes), diffId)
  const packed = gzipSync(bytes)
  assert.equal(await walked(packed), digestFor(packed))
})

test('facts are known by the blob, by the tar in it, and by the extractors that read it', async () => {
  const diffId = digestFor(Buffer.from('the tar'))
  await known.keepFacts(digest, 'r', factsFor(diffId))
  for (const name of [digest, diffId]) assert.equal((await known.facts(name, 'r'))?.diffId, diffId)
  assert.equal(await known.facts(digest, 'another'), undefined)
  assert.ok(known.hasBlob(digest) && known.hasBlob(diffId))
  assert.ok(!known.hasBlob(digestFor(Buffer.from('other'))))
})

function factsFor(diffId: Digest) {
  return { diffId, sizeBytes: 1, files: [], whiteouts: [], opaque: [], packages: [], releases: [], unsupported: [], problems: [] }
}
