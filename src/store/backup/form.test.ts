import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../../kit/errors.ts'
import type { Digest } from '../../model/digest.ts'
import { blobPath, digestAt, isFileName, isSetName, manifestText, parseManifest, setName, type BackupManifest } from './form.ts'

const hex = (length: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const digests = fc.oneof(
  hex(64).map((text) => `sha256:${text}` as Digest),
  hex(128).map((text) => `sha512:${text}` as Digest),
)

const manifest: BackupManifest = {
  form: 1,
  version: '0.1.0',
  schema: '0005-ledger',
  takenAt: '2026-11-24T08:15:00.123Z',
  from: 'sqlite',
  set: '20261124T081500123Z',
  counts: { repositories: 1, manifests: 2, tags: 3, users: 4, blobs: 5, blobBytes: 6 },
  files: [{ name: 'records.sqlite', sizeBytes: 7, sha256: 'a'.repeat(64) }],
  damaged: [{ digest: `sha256:${'b'.repeat(64)}`, problem: 'rot' }],
}

test('a manifest is read as it was written', () => {
  assert.deepEqual(parseManifest(manifestText(manifest)), manifest)
})

test('any other character in it is refused, but for space between its words', () => {
  const text = manifestText(manifest)
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }), (at, other) => {
      const changed = text.slice(0, at) + other + text.slice(at + 1)
      if (JSON.stringify(parsedOrNot(changed)) === JSON.stringify(JSON.parse(text))) return
      assert.throws(() => parseManifest(changed), LazaretError, changed)
    }),
  )
})

function parsedOrNot(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // no JSON: to be refused
  }
}

test('whatever it is given, a manifest or a refusal in words', () => {
  const values = fc.oneof(
    fc.json(),
    fc.string(),
    fc.record({ manifest: fc.anything(), sha256: fc.string() }).map((value) => JSON.stringify(value)),
  )
  fc.assert(fc.property(values, (text) => assert.throws(() => parseManifest(text), { code: 'UNREADABLE' })))
  for (const [name, value] of Object.entries({ files: [null], damaged: [null], counts: null, set: '..', form: 0 }))
    assert.throws(() => parseManifest(manifestText({ ...manifest, [name]: value } as BackupManifest)), { code: 'UNREADABLE' }, name)
  for (const name of ['../records.sqlite', '/etc/passwd', 'keys/../x', 'keys/', 'advisories/x.sqlite', 'hold'])
    assert.throws(
      () => parseManifest(manifestText({ ...manifest, files: [{ name, sizeBytes: 1, sha256: 'a'.repeat(64) }] })),
      /damaged/,
      name,
    )
})

test('a blob has one path, and a path one blob', () => {
  fc.assert(fc.property(digests, (digest) => assert.equal(digestAt(blobPath(digest)), digest)))
  const digest = `sha256:${'ab'.repeat(32)}` as Digest
  for (const path of [
    blobPath(digest).replace('/ab/', '/ac/'),
    `../${blobPath(digest)}`,
    `${blobPath(digest)}.work`,
    blobPath(digest).slice(0, -1),
  ])
    assert.equal(digestAt(path), undefined, path)
  fc.assert(
    fc.property(fc.string(), (path) => {
      const found = digestAt(path)
      if (found !== undefined) assert.equal(blobPath(found), path)
    }),
  )
})

test('names of sets and of files leave no way out of the folder', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 4e12 }), (at) => assert.ok(isSetName(setName(at)))))
  fc.assert(
    fc.property(fc.string(), (name) => {
      if (isFileName(name) || isSetName(name)) assert.doesNotMatch(name, /\.\.\/|^\/|\\|\0/)
    }),
  )
  for (const name of ['keys/..', 'keys/.hidden', 'records.sqlite\n', 'keys/a/b']) assert.equal(isFileName(name), false, name)
})
