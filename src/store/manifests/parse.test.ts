import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { LazaretError } from '../../kit/errors.ts'
import { mediaTypes } from '../../model/manifest.ts'
import { artifactJson, descriptor, digestOfBytes, imageJson, indexJson, type Json } from '../suites/world.ts'
import { kindOf } from './kind.ts'
import { mostManifestBytes, parseManifest, type ParsedManifest } from './parse.ts'

const image = imageJson(['layer']).json
const index = indexJson([descriptor(mediaTypes.ociManifest, 'child', { platform: { os: 'linux', architecture: 'arm', variant: 'v7' } })])
const entry = descriptor('application/octet-stream', 'x')

describe('parseManifest', () => {
  test('an image, as its bytes say it', () => {
    const parsed = parse({ ...image, annotations: { a: 'b' }, subject: descriptor(mediaTypes.ociManifest, 'subject') })
    assert.equal(parsed.isIndex, false)
    assert.equal(parsed.config?.mediaType, mediaTypes.ociConfig)
    assert.deepEqual(
      parsed.layers.map((layer) => layer.digest),
      [digestOfBytes('layer')],
    )
    assert.deepEqual(
      [parsed.annotations, parsed.subject?.digest, parsed.artifactType],
      [{ a: 'b' }, digestOfBytes('subject'), mediaTypes.ociConfig],
    )
  })

  test('an index, with its platforms', () => {
    const parsed = parse(index)
    assert.equal(parsed.isIndex, true)
    assert.deepEqual(parsed.children[0]?.platform, { os: 'linux', architecture: 'arm', variant: 'v7' })
    assert.deepEqual([parsed.layers, parsed.config], [[], undefined])
  })

  test("the digest is of the bytes as they came, by the push's algorithm", () => {
    const bytes = Buffer.from(`  ${JSON.stringify(image)}\n`)
    assert.equal(parseManifest(bytes, '').digest, digestOfBytes(bytes))
    assert.equal(parseManifest(bytes, '', 'sha512').digest, digestOfBytes(bytes, 'sha512'))
  })

  test('an artifact type that is empty is none (image-spec, "Guidelines for Artifact Usage")', () => {
    assert.equal(parse({ ...artifactJson('', []).json }).artifactType, mediaTypes.ociEmpty)
    assert.equal(parse({ ...artifactJson('text/x', []).json }).artifactType, 'text/x')
  })

  const wrong: [string, Json, string][] = [
    ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'schemaVersion'],
    ['a version as text', { ...image, schemaVersion: '2' }, 'schemaVersion'],
    ['no version', without(image, 'schemaVersion'), 'schemaVersion'],
    ['a type that is none of ours', { ...image, mediaType: 'text/html' }, 'mediaType'],
    ['a type that is no text', { ...image, mediaType: 7 }, 'mediaType'],
    ['no config', without(image, 'config'), 'config'],
    ['a config that is a list', { ...image, config: [] }, 'config'],
    ['no layers', without(image, 'layers'), 'layers'],
    ['layers that are none', { ...image, layers: {} }, 'layers'],
    ['a layer that is null', { ...image, layers: [entry, null] }, 'layers[1]'],
    ['a layer without a type', { ...image, layers: [without(entry, 'mediaType')] }, 'layers[0].mediaType'],
    ['a layer with an empty type', { ...image, layers: [{ ...entry, mediaType: '' }] }, 'layers[0].mediaType'],
    ['a type of 256 characters', { ...image, layers: [{ ...entry, mediaType: 'x'.repeat(256) }] }, 'layers[0].mediaType'],
    ['a type with a NUL', { ...image, layers: [{ ...entry, mediaType: 'a\0b' }] }, 'layers[0].mediaType'],
    ['an artifact type with a line feed', { ...image, artifactType: 'a\nb' }, 'artifactType'],
    ['a digest of another algorithm', { ...image, layers: [{ ...entry, digest: `md5:${'0'.repeat(32)}` }] }, 'layers[0].digest'],
    ['a digest in upper case', { ...image, layers: [{ ...entry, digest: String(entry['digest']).toUpperCase() }] }, 'layers[0].digest'],
    ['a digest with a path', { ...image, layers: [{ ...entry, digest: 'sha256:../../etc/passwd' }] }, 'layers[0].digest'],
    ['a size below nothing', { ...image, layers: [{ ...entry, size: -1 }] }, 'layers[0].size'],
    ['a size with a fraction', { ...image, layers: [{ ...entry, size: 1.5 }] }, 'layers[0].size'],
    ['a size as text', { ...image, layers: [{ ...entry, size: '1' }] }, 'layers[0].size'],
    ['a size beyond all', { ...image, layers: [{ ...entry, size: 1e300 }] }, 'layers[0].size'],
    ['an annotation that is a number', { ...image, annotations: { a: 1 } }, 'annotations.a'],
    ['annotations that are a list', { ...image, annotations: [] }, 'annotations'],
    ['a subject that is none', { ...image, subject: 'sha256:x' }, 'subject'],
    ['a subject without a digest', { ...image, subject: without(entry, 'digest') }, 'subject.digest'],
    ['a platform that is text', indexJson([{ ...entry, platform: 'linux/amd64' }]), 'manifests[0].platform'],
    [
      'an architecture that is a number',
      indexJson([{ ...entry, platform: { os: 'linux', architecture: 64 } }]),
      'manifests[0].platform.architecture',
    ],
    ['a manifest that lists manifests', { ...image, manifests: [] }, 'manifests'],
    ['an index with layers', { ...index, layers: [] }, 'layers'],
    ['an index with a config', { ...index, config: entry }, 'config'],
    ['an index with a config that is null', { ...index, config: null }, 'config'],
    ['a manifest of both schemas', { ...image, fsLayers: [] }, 'fsLayers'],
    ['layers for those who ignore case', { ...image, Layers: [entry] }, 'Layers'],
    ['layers for those who fold the long s', { ...image, layer\u017F: [entry] } as Json, 'layer\u017F'],
    ['a digest for those who ignore case', { ...image, layers: [{ ...entry, Digest: digestOfBytes('evil') }] }, 'layers[0].Digest'],
    [
      'a platform for those who ignore case',
      indexJson([{ ...entry, platform: { os: 'linux', architecture: 'amd64', OS: 'windows' } }]),
      'manifests[0].platform.OS',
    ],
    [
      'data that is not the blob',
      { ...image, config: { ...descriptor(mediaTypes.ociConfig, 'ab'), data: Buffer.from('xy').toString('base64') } },
      'config.data',
    ],
    ['data of another length', { ...image, config: { ...descriptor(mediaTypes.ociConfig, 'ab'), data: 'AAAA' } }, 'config.data'],
    ['data that is no text', { ...image, config: { ...descriptor(mediaTypes.ociConfig, 'ab'), data: {} } }, 'config.data'],
  ]
  for (const [what, json, where] of wrong) {
    test(`refused, and where: ${what}`, () => {
      assert.throws(() => parse(json), { code: 'MANIFEST_INVALID', detail: { where } })
    })
  }

  test('data that is the blob, keys that nobody knows, and the same key in two objects are fine', () => {
    const config = { ...descriptor(mediaTypes.ociConfig, 'ab'), data: Buffer.from('ab').toString('base64') }
    assert.equal(
      parse({ ...image, config, custom: { layers: [], Layers: {} }, annotations: { Layers: 'x', layers: 'y', __proto__: 'z' } }).isIndex,
      false,
    )
  })

  test('a key that stands twice is refused wherever it is, however it is written', () => {
    const text = JSON.stringify(image)
    for (const extra of [
      ',"layers":[]}',
      ',"l\\u0061yers":[]}',
      ',"custom":{"a":1,"b":{"c":1,"c":2}}}',
      ',"annotations":{"a":"x","a":"y"}}',
      ',"custom":1,"custom" \n:\t2}',
    ]) {
      assert.throws(
        () => parseManifest(Buffer.from(text.replace(/\}$/, extra)), ''),
        { code: 'MANIFEST_INVALID', message: /stands twice/ },
        extra,
      )
    }
    const fine = text.replace(/\}$/, ',"custom":{"a":"b: \\"a\\": {","list":[{"a":1},{"a":1}]}}')
    assert.equal(parseManifest(Buffer.from(fine), '').isIndex, false)
  })

  test('the type of the body must be that of the request; without one the request says it', () => {
    const bytes = Buffer.from(JSON.stringify(image))
    const bare = Buffer.from(JSON.stringify(without(image, 'mediaType')))
    assert.equal(parseManifest(bytes, `${mediaTypes.ociManifest}; charset=utf-8`).mediaType, mediaTypes.ociManifest)
    assert.equal(parseManifest(bytes, '').mediaType, mediaTypes.ociManifest)
    assert.equal(parseManifest(bare, mediaTypes.dockerManifest).mediaType, mediaTypes.dockerManifest)
    for (const declared of [mediaTypes.ociIndex, mediaTypes.dockerManifest, 'application/json']) {
      assert.throws(() => parseManifest(bytes, declared), { code: 'MANIFEST_INVALID', detail: { where: 'mediaType' } })
    }
    assert.throws(() => parseManifest(bare, ''), { code: 'MANIFEST_INVALID' })
    assert.throws(() => parseManifest(bare, mediaTypes.ociIndex), { code: 'MANIFEST_INVALID' })
  })

  test('bytes that are no JSON, no UTF-8, no object', () => {
    const texts = ['', '{', 'null', '[]', '7', '"x"', `${JSON.stringify(image)} x`, '\ufeff'.repeat(2), 'NaN', "{'schemaVersion':2}"]
    for (const text of texts)
      assert.throws(() => parseManifest(Buffer.from(text), mediaTypes.ociManifest), { code: 'MANIFEST_INVALID' }, text)
    const broken = Buffer.concat([
      Buffer.from(JSON.stringify(image).slice(0, -1)),
      Buffer.from(',"x":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ])
    assert.throws(() => parseManifest(broken, ''), { code: 'MANIFEST_INVALID', message: /not JSON/ })
  })

  test('4 MiB are taken, one byte more is not', () => {
    const largest = padded(mostManifestBytes)
    assert.equal(parseManifest(largest, '').sizeBytes, mostManifestBytes)
    assert.throws(() => parseManifest(padded(mostManifestBytes + 1), ''), { code: 'MANIFEST_INVALID', status: 413 })
  })

  test('deep and wide ones end in time', () => {
    const start = performance.now()
    const list = '['.repeat(2_000_000) + ']'.repeat(2_000_000)
    const objects = `${'{"a":'.repeat(600_000)}1${'}'.repeat(600_000)}`
    for (const deep of [list, objects])
      assertLazaretError(() => parseManifest(Buffer.from(JSON.stringify(image).replace(/\}$/, `,"x":${deep}}`)), ''))
    assert.throws(() => parseManifest(Buffer.from(JSON.stringify(image).replace(/\}$/, `,"x":${objects}}`)), ''), /deeper than 100/)
    const many = `{${Array.from({ length: 300_000 }, (_, at) => `"k${at}":0`).join(',')}}`
    assertLazaretError(() => parseManifest(Buffer.from(JSON.stringify(image).replace(/\}$/, `,"x":${many}}`)), ''))
    const quotes = `"${'\\"'.repeat(1_900_000)}"`
    assertLazaretError(() => parseManifest(Buffer.from(JSON.stringify(image).replace(/\}$/, `,"x":${quotes}}`)), ''))
    assert.ok(performance.now() - start < 15_000)
  })

  test('whatever comes, it is a manifest or a LazaretError', () => {
    const near = fc.record(
      {
        schemaVersion: fc.constantFrom(2, 2, 2, 1, '2'),
        mediaType: fc.constantFrom(...Object.values(mediaTypes), 'x', 1, null),
        config: fc.oneof(fc.constant(entry), fc.jsonValue()),
        layers: fc.oneof(fc.array(fc.oneof(fc.constant(entry), fc.jsonValue()), { maxLength: 3 }), fc.jsonValue()),
        manifests: fc.oneof(fc.array(fc.oneof(fc.constant(entry), fc.jsonValue()), { maxLength: 3 }), fc.jsonValue()),
        subject: fc.oneof(fc.constant(entry), fc.jsonValue()),
        annotations: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
      },
      { requiredKeys: ['schemaVersion'] },
    )
    fc.assert(
      fc.property(near, fc.constantFrom('', ...Object.values(mediaTypes)), (json, type) =>
        assertLazaretError(() => parseManifest(Buffer.from(JSON.stringify(json)), type)),
      ),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => assertLazaretError(() => parseManifest(Buffer.from(text), mediaTypes.ociManifest))),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) =>
        assertLazaretError(() => parseManifest(Buffer.from(bytes), mediaTypes.ociManifest)),
      ),
      { numRuns: 500 },
    )
  })

  test('cut anywhere, or with any byte changed, it is a manifest or a LazaretError', () => {
    const whole = Buffer.from(JSON.stringify({ ...image, subject: entry, annotations: { a: 'b' } }))
    for (let end = 0; end < whole.length; end++)
      assert.throws(() => parseManifest(whole.subarray(0, end), mediaTypes.ociManifest), LazaretError)
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
        const changed = Buffer.from(whole)
        changed[at] = byte
        assertLazaretError(() => parseManifest(changed, mediaTypes.ociManifest))
      }),
      { numRuns: 1000 },
    )
  })
})

describe('kindOf', () => {
  const odd = parse({ ...image, config: descriptor('application/vnd.acme.config', '?') })
  const cacheConfig = descriptor(mediaTypes.buildkitCacheConfig, 'cache')

  test('an image by the type of its config, whatever that holds', () => {
    for (const type of [mediaTypes.ociConfig, mediaTypes.dockerConfig]) {
      const parsed = parse({ ...image, artifactType: 'text/innocent', config: descriptor(type, '?') })
      for (const config of ['', 'not JSON', '{}', '\0']) assert.equal(kindOf(parsed, Buffer.from(config)), 'image')
      assert.equal(kindOf(parsed, undefined), 'image')
    }
  })

  test('an image that calls itself something else is one by what its config holds, as any client may read it', () => {
    const disguised = [
      '{"rootfs":{"diff_ids":[]}}',
      '{"rootfs":{"diff_ids":["x"]},"rootfs":{}}',
      '{"RootFS":{"DIFF_IDS":[]}}',
      '{"rootfs":{"di\\u0066f_ids":[]}}',
      '{"rootf\u017F":{"diff_id\u017F":[]}}',
      ' \n{"x":[[[{"a":"\\""}]]], "rootfs" : {"diff_ids" \t:null}} trailing',
    ]
    for (const config of disguised) assert.equal(kindOf(odd, Buffer.from(config)), 'image', config)
    const cache = parse({ ...image, config: cacheConfig })
    assert.equal(kindOf(cache, Buffer.from('{"rootfs":{"diff_ids":[]}}')), 'image')
  })

  test('an artifact: any other config', () => {
    for (const config of ['{}', '', '[]', '{"diff":["diff_ids"]}', '"diff_ids"', '\xff\xfe'])
      assert.equal(kindOf(odd, Buffer.from(config)), 'artifact', config)
    assert.equal(kindOf(parse(artifactJson('text/x', ['f']).json), Buffer.from('{}')), 'artifact')
  })

  test("BuildKit's cache in both forms", () => {
    assert.equal(kindOf(parse({ ...image, config: cacheConfig }), Buffer.from('{"layers":[],"records":[]}')), 'cache')
    assert.equal(kindOf(parse(indexJson([entry, cacheConfig])), undefined), 'cache')
    assert.equal(kindOf(parse(indexJson([entry])), undefined), 'index')
  })

  test('hostile configs end in time', () => {
    const start = performance.now()
    for (const text of [
      '"'.repeat(4_000_000),
      `"${'\\"'.repeat(2_000_000)}`,
      '"a" '.repeat(1_000_000),
      `"a"${' '.repeat(4_000_000)}`,
      '{'.repeat(4_000_000),
    ]) {
      assert.equal(kindOf(odd, Buffer.from(text)), 'artifact')
    }
    assert.ok(performance.now() - start < 10_000)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => ['image', 'artifact'].includes(kindOf(odd, Buffer.from(text)))),
    )
  })
})

function parse(json: Json): ParsedManifest {
  return parseManifest(Buffer.from(JSON.stringify(json)), '')
}

function without(json: Json, key: string): Json {
  return Object.fromEntries(Object.entries(json).filter(([name]) => name !== key))
}

function padded(size: number): Buffer {
  const text = JSON.stringify({ ...image, annotations: { pad: '' } })
  return Buffer.from(text.replace('"pad":""', `"pad":"${'x'.repeat(size - text.length)}"`))
}

function assertLazaretError(run: () => unknown): void {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof LazaretError, String(error))
    assert.equal(error.code, 'MANIFEST_INVALID')
  }
}
