import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { LazaretError } from '../kit/errors.ts'
import { digestOf } from '../model/digest.ts'
import { artifactBytes, referrersOf } from './referrers.ts'
import type { RegistryClient } from './registry-client.ts'

const digestFor = (bytes: string) => digestOf('sha256', createHash('sha256').update(bytes).digest('hex'))
const subject = digestFor('the image')
const sbom = '{"bomFormat":"CycloneDX"}'
const manifest = JSON.stringify({ schemaVersion: 2, layers: [{ digest: digestFor(sbom), size: sbom.length }] })

/** A registry that has what it is given by path, and nothing else. */
function registry(content: Record<string, string>): RegistryClient & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    async get(path) {
      asked.push(path)
      const found = content[path]
      if (found === undefined) throw new LazaretError('NOT_FOUND', `${path} is not there`)
      return new Response(found)
    },
  }
}

const listPath = `/v2/shop/api/referrers/${subject}`
const tagPath = `/v2/shop/api/manifests/${subject.replace(':', '-')}`
const entry = { mediaType: 'm', digest: digestFor(manifest), size: 1, artifactType: 'application/vnd.cyclonedx+json' }

test('referrers by the list, else by the tag, else none', async () => {
  const list = JSON.stringify({ manifests: [entry, { ...entry, digest: 'sha256:short' }, { digest: entry.digest }, null, 7] })
  const wanted = [{ digest: entry.digest, artifactType: entry.artifactType }]
  assert.deepEqual(await referrersOf(registry({ [listPath]: list }), 'shop/api', subject), wanted)
  const old = registry({ [tagPath]: list })
  assert.deepEqual(await referrersOf(old, 'shop/api', subject), wanted)
  assert.deepEqual(old.asked, [listPath, tagPath])
  assert.deepEqual(await referrersOf(registry({}), 'shop/api', subject), [])
})

test('a list that is none, and a registry that refuses, are errors', async () => {
  for (const text of ['', '[]', '{}', '{"manifests":{}}'])
    await assert.rejects(referrersOf(registry({ [listPath]: text }), 'shop/api', subject), { code: 'UNREADABLE' }, text)
  const refusing: RegistryClient = { get: () => Promise.reject(new LazaretError('UNAUTHORIZED', 'no')) }
  await assert.rejects(referrersOf(refusing, 'shop/api', subject), { code: 'UNAUTHORIZED' })
  const large = registry({ [listPath]: JSON.stringify({ manifests: [], x: 'x'.repeat(5 * 1024 * 1024) }) })
  await assert.rejects(referrersOf(large, 'shop/api', subject), { code: 'LIMIT_EXCEEDED' })
})

test('an artifact has the bytes of its digests, or is an error', async () => {
  const paths = { manifest: `/v2/shop/api/manifests/${entry.digest}`, blob: `/v2/shop/api/blobs/${digestFor(sbom)}` }
  const get = (content: Record<string, string>, most = 1000) => artifactBytes(registry(content), 'shop/api', entry.digest, most)
  assert.equal((await get({ [paths.manifest]: manifest, [paths.blob]: sbom })).toString(), sbom)
  await assert.rejects(get({ [paths.manifest]: `${manifest} `, [paths.blob]: sbom }), { code: 'UNREADABLE', message: /asked for sha256:/ })
  await assert.rejects(get({ [paths.manifest]: manifest, [paths.blob]: '{}' }), { code: 'UNREADABLE' })
  await assert.rejects(get({ [paths.manifest]: manifest, [paths.blob]: sbom }, 10), { code: 'LIMIT_EXCEEDED' })
  await assert.rejects(get({ [paths.manifest]: manifest }), { code: 'NOT_FOUND' })
  const bare = '{"layers":[]}'
  await assert.rejects(artifactBytes(registry({ [`/v2/shop/api/manifests/${digestFor(bare)}`]: bare }), 'shop/api', digestFor(bare), 1), {
    code: 'UNREADABLE',
    message: /has no layer/,
  })
})
