import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink as makeLink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { LazaretError } from '../kit/errors.ts'
import { collect } from '../kit/streams/collect.ts'
import type { ImageInventory } from '../model/inventory.ts'
import { openImage } from './archive.ts'
import type { LocalImage, LocalManifest } from './archive.ts'
import { readLayer } from './layer.ts'
import { squash } from './squash.ts'
import { blobOf, imageOf, layoutOf, pointTo, types } from './testing/images.ts'
import { hardLink, symlink, tarOf } from './testing/tars.ts'
import type { Member } from './testing/tars.ts'

const folder = await mkdtemp(join(tmpdir(), 'lazaret-test-'))
after(async () => await rm(folder, { recursive: true }))

const layer = await tarOf([
  ['etc/os-release', 'ID=debian\n'],
  ['var/lib/dpkg/status', 'Package: a\nVersion: 1\n\n'],
])
const image = imageOf([layer])
const layout = layoutOf(
  [pointTo(image.manifest, types.manifest, { annotations: { 'org.opencontainers.image.ref.name': 'v1' } })],
  image.blobs,
)
const dockerConfig = JSON.stringify({ os: 'linux', architecture: 'arm64', variant: 'v8', rootfs: { diff_ids: [blobOf(layer).digest] } })

test('an OCI archive, plain and compressed as a whole', async () => {
  const tar = await tarOf(layout)
  for (const stored of [tar, gzipSync(tar), zstdCompressSync(tar)]) {
    const opened = await openImage(await put(stored))
    const [manifest] = opened.manifests
    assert.equal(opened.kind, 'oci-archive')
    assert.deepEqual(
      [manifest?.role, manifest?.digest, manifest?.names, manifest?.platform],
      ['image', image.manifest.digest, ['v1'], { os: 'linux', architecture: 'amd64' }],
    )
    assert.equal(manifest?.layers[0]?.diffId, blobOf(layer).digest)
    assert.deepEqual(
      (await inventoryOf(manifest)).packages.map(({ name }) => name),
      ['a'],
    )
    await opened.close()
  }
})

test('an OCI layout in a folder', async () => {
  const path = join(folder, 'layout')
  await putFolder(path, layout)
  const opened = await openImage(path)
  assert.equal(opened.kind, 'oci-layout')
  assert.equal((await inventoryOf(opened.manifests[0])).packages.length, 1)
})

test('a Docker archive: plain and compressed layers, links between layers, a name with a colon', async () => {
  const manifest = (config: string, layers: string[]) => JSON.stringify([{ Config: config, RepoTags: ['a:1'], Layers: layers }])
  const forms: Member[][] = [
    [
      ['manifest.json', manifest('c.json', ['x/layer.tar'])],
      ['c.json', dockerConfig],
      ['x/layer.tar', layer],
    ],
    [
      ['./c.json', dockerConfig],
      ['./x.tar.gz', gzipSync(layer)],
      ['./manifest.json', manifest('c.json', ['x.tar.gz'])],
    ],
    [
      ['sha256:abc', dockerConfig],
      ['a/layer.tar', zstdCompressSync(layer)],
      symlink('b/layer.tar', '../a/layer.tar'),
      ['manifest.json', manifest('sha256:abc', ['b/layer.tar'])],
    ],
    [['c', dockerConfig], ['a', layer], hardLink('b', 'a'), ['manifest.json', manifest('c', ['b'])]],
  ]
  for (const members of forms) {
    const opened = await openImage(await put(await tarOf(members)))
    assert.deepEqual([opened.kind, opened.problems, opened.manifests[0]?.names], ['docker-archive', [], ['a:1']])
    assert.deepEqual(opened.manifests[0]?.platform, { os: 'linux', architecture: 'arm64', variant: 'v8' })
    assert.equal((await inventoryOf(opened.manifests[0])).packages.length, 1)
    await opened.close()
  }
})

test('a config with another number of layers is a problem, and the layers are read all the same', async () => {
  const members: Member[] = [
    ['manifest.json', '[{"Config":"c","Layers":["l","l"]}]'],
    ['c', dockerConfig],
    ['l', layer],
  ]
  const opened = await openImage(await put(await tarOf(members)))
  assert.deepEqual(opened.problems, ['the config speaks of 1 layers where the manifest lists 2'])
  assert.equal(opened.manifests[0]?.layers[0]?.diffId, undefined)
  assert.equal((await inventoryOf(opened.manifests[0])).packages.length, 1)
})

test('an empty layer can be read, and any layer twice', async () => {
  const empty = imageOf([Buffer.alloc(0)])
  const opened = await openImage(await put(await tarOf(layoutOf([pointTo(empty.manifest, types.manifest)], empty.blobs))))
  const [first] = opened.manifests[0]?.layers ?? []
  assert.deepEqual([await collect(first!.open(), 10, 'x'), await collect(first!.open(), 10, 'x')], [Buffer.alloc(0), Buffer.alloc(0)])
})

test('nested indexes are followed, attestations and artifacts told apart by content', async () => {
  const attestation = imageOf([Buffer.from('{}')], types.inToto)
  const claimed = imageOf([await tarOf(['other'])])
  const chart = imageOf([Buffer.from('chart')], 'application/gzip', 'application/vnd.cncf.helm.config.v1+json')
  const unknown = { platform: { os: 'unknown', architecture: 'unknown' } }
  const inner = blobOf({
    schemaVersion: 2,
    manifests: [
      pointTo(image.manifest, types.manifest),
      pointTo(attestation.manifest, types.manifest, unknown),
      pointTo(claimed.manifest, types.manifest, unknown),
      pointTo(chart.manifest, types.manifest),
      pointTo(image.manifest, types.manifest),
    ],
  })
  const outer = blobOf({ schemaVersion: 2, manifests: [pointTo(inner, types.index)] })
  const blobs = [...image.blobs, ...attestation.blobs, ...claimed.blobs, ...chart.blobs, inner, outer]
  const opened = await openImage(await put(await tarOf(layoutOf([pointTo(outer, types.index)], blobs))))
  assert.deepEqual(
    opened.manifests.map(({ role }) => role),
    ['image', 'attestation', 'image', 'artifact'],
  )
})

test('indexes that are nested too deep, or list too much, are refused', async () => {
  let top = blobOf({ manifests: [pointTo(image.manifest, types.manifest)] })
  const blobs = [...image.blobs, top]
  for (let depth = 0; depth < 10; depth++) blobs.push((top = blobOf({ manifests: [pointTo(top, types.index)] })))
  await refused(await tarOf(layoutOf([pointTo(top, types.index)], blobs)), /nested more than 8 deep/)
  await refused(
    await tarOf(
      layoutOf(
        Array.from({ length: 1001 }, () => pointTo(image.manifest, types.manifest)),
        image.blobs,
      ),
    ),
    /more than the 1000/,
  )
})

test('another platform that is not there is a problem; no whole image at all is an error', async () => {
  const elsewhere = imageOf([Buffer.alloc(1024)])
  const descriptors = [
    pointTo(elsewhere.manifest, types.manifest, { platform: { os: 'linux', architecture: 's390x' } }),
    pointTo(image.manifest, types.manifest),
  ]
  const opened = await openImage(await put(await tarOf(layoutOf(descriptors, image.blobs))))
  assert.equal(opened.manifests.length, 1)
  assert.deepEqual(opened.problems, [`the layout does not hold ${elsewhere.manifest.digest} (linux/s390x)`])
  await refused(await tarOf(layoutOf(descriptors.slice(0, 1), image.blobs)), /holds no whole image; the layout does not hold sha256:/)
  await refused(await tarOf(layoutOf(descriptors.slice(1), image.blobs.slice(0, 1).concat(image.manifest))), /holds no whole image/)
})

test('bytes that do not have their digest are not believed', async () => {
  const lying = image.blobs.map((blob) =>
    blob === image.manifest ? { ...blob, bytes: Buffer.from(blob.bytes.toString().replace('schemaVersion":2', 'schemaVersion":3')) } : blob,
  )
  await refused(await tarOf(layoutOf([pointTo(image.manifest, types.manifest)], lying)), /what is stored as sha256:/)
  const otherLayer = image.blobs.map((blob) => (blob.bytes.equals(layer) ? { ...blob, bytes: Buffer.alloc(layer.length) } : blob))
  const opened = await openImage(await put(await tarOf(layoutOf([pointTo(image.manifest, types.manifest)], otherLayer))))
  await assert.rejects(inventoryOf(opened.manifests[0]), { code: 'UNREADABLE', message: /what is stored as sha256:/ })
})

const refusals: [string, Member[], RegExp][] = [
  ['an archive of something else', [['notes.txt', 'hello']], /neither a Docker nor an OCI archive/],
  ['an empty archive', [], /neither a Docker nor an OCI archive/],
  ['a list of no images', [['manifest.json', '[]']], /lists no image/],
  ['a manifest.json that is no list', [['manifest.json', '{}']], /manifest.json is no list/],
  ['a manifest.json that is no JSON', [['manifest.json', '[{']], /manifest.json is no JSON/],
  [
    'a layer that is not there',
    [
      ['manifest.json', '[{"Config":"c","Layers":["../../etc/passwd"]}]'],
      ['c', dockerConfig],
    ],
    /does not hold ..\/..\/etc\/passwd/,
  ],
  ['links in a circle', [['manifest.json', '[{"Config":"a","Layers":[]}]'], symlink('a', 'b'), symlink('b', 'a')], /more than 16 links/],
  [
    'a config without rootfs',
    [
      ['manifest.json', '[{"Config":"c","Layers":[]}]'],
      ['c', '{}'],
    ],
    /rootfs of the config is no JSON object/,
  ],
  [
    'a config that is too large',
    [
      ['manifest.json', '[{"Config":"c","Layers":[]}]'],
      ['c', Buffer.alloc(17 * 1024 * 1024)],
    ],
    /more than the 16777216/,
  ],
  [
    'an image and an index at once',
    ((blob) => layoutOf([pointTo(blob, types.manifest)], [blob]))(blobOf({ config: {}, layers: [], manifests: [] })),
    /an index and an image at once/,
  ],
  ['an index of nonsense', [['index.json', '{"manifests":[{"digest":"sha256:../../x","size":1}]}']], /no digest that can be checked/],
  ['a descriptor without size', [['index.json', `{"manifests":[{"digest":"${image.manifest.digest}"}]}`]], /has no size/],
]

for (const [name, members, message] of refusals) {
  test(`${name} is UNREADABLE`, async () => await refused(await tarOf(members), message))
}

test('an archive cut short is UNREADABLE, wherever the cut is', async () => {
  const tar = await tarOf(layout)
  for (const cut of [700, tar.length - 2000, tar.length - 3000]) await refused(tar.subarray(0, cut), /cut short|no whole image|neither/)
  await refused(gzipSync(tar).subarray(0, -10), /gzip data is corrupt or cut short/)
  await refused(gzipSync(Buffer.alloc(2_000_000)), /neither a Docker nor an OCI archive/)
})

test('a file that is not there is NOT_FOUND', async () => {
  await assert.rejects(openImage(join(folder, 'nowhere')), { code: 'NOT_FOUND' })
})

test('a pipe can be read', async () => {
  const path = await put(await tarOf(layout))
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const writing = writeFile(pipe, await readFile(path))
  assert.equal((await openImage(pipe)).manifests.length, 1)
  await writing
})

test('nothing is left where compressed archives are unpacked', async () => {
  const before = (await readdir(tmpdir())).filter((name) => name.startsWith('lazaret-')).length
  const opened = await openImage(await put(gzipSync(await tarOf(layout))))
  assert.equal((await readdir(tmpdir())).filter((name) => name.startsWith('lazaret-')).length, before)
  await opened.close()
})

test('a link in a layout that leads out of it is not followed', async () => {
  const path = join(folder, 'linked')
  await putFolder(
    path,
    layout.filter(([name]) => name !== 'index.json'),
  )
  await writeFile(join(folder, 'outside.json'), layout.find(([name]) => name === 'index.json')?.[1] ?? '')
  await makeLink('../outside.json', join(path, 'index.json'))
  assert.equal((await openImage(path)).kind, 'rootfs')
})

test('a root file system in a folder is an image of one layer, and no link of it is followed', async () => {
  const path = join(folder, 'rootfs')
  await putFolder(path, [
    ['etc/os-release', 'ID=alpine\nVERSION_ID=3.20\n'],
    ['lib/apk/db/installed', 'P:a\nV:1\n'],
    [`deep/${'d'.repeat(120)}/ü`, 'x'.repeat(700_000)],
    ['proc/1/secret', 'no'],
    ['opt/proc/kept', ''],
  ])
  await makeLink('/etc', join(path, 'outside'))
  await writeFile(Buffer.concat([Buffer.from(`${path}/bad`), Buffer.from([0xff])]), '')
  execFileSync('mkfifo', [join(path, 'fifo')])
  const opened = await openImage(path)
  const facts = await readLayer(opened.manifests[0]!.layers[0]!.open())
  const paths = [...facts.files].map((file) => file.path)
  assert.deepEqual(paths.filter((some) => /outside|proc|bad|fifo/.test(some)).sort(), [
    'bad\\xff',
    'fifo',
    'opt/proc',
    'opt/proc/kept',
    'outside',
    'proc',
  ])
  assert.deepEqual([opened.kind, opened.problems, facts.problems, facts.packages.length], ['rootfs', [], [], 1])
  assert.equal([...facts.files].find((file) => file.path.endsWith('/ü'))?.sizeBytes, 700_000)
})

test('any mutation of an archive gives an image or a LazaretError', async () => {
  const tar = await tarOf(layout)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      async (changes, compressed) => {
        const bytes = compressed ? gzipSync(tar) : Buffer.from(tar)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        let opened: LocalImage | undefined
        try {
          opened = await openImage(await put(bytes))
          for (const manifest of opened.manifests) await inventoryOf(manifest)
        } catch (error) {
          assert.ok(error instanceof LazaretError, String(error))
        }
        await opened?.close()
      },
    ),
    { numRuns: 150 },
  )
})

let count = 0

async function put(bytes: Buffer): Promise<string> {
  const path = join(folder, `archive-${count++}`)
  await writeFile(path, bytes)
  return path
}

async function putFolder(path: string, files: [string, Buffer | string][]): Promise<void> {
  for (const [name, bytes] of files) {
    await mkdir(join(path, dirname(name)), { recursive: true })
    await writeFile(join(path, name), bytes)
  }
}

async function refused(bytes: Buffer, message: RegExp): Promise<void> {
  await assert.rejects(async () => await openImage(await put(bytes)), { code: 'UNREADABLE', message })
}

async function inventoryOf(manifest: LocalManifest | undefined): Promise<ImageInventory> {
  assert.ok(manifest !== undefined)
  const facts = []
  for (const { open } of manifest.layers) facts.push(await readLayer(open(), { reopen: open }))
  return squash(facts)
}
