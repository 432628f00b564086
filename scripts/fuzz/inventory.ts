// The readers of the inventory that are no extractors: archives, layers, lists of what others found.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { openImage } from '../../src/inventory/archive.ts'
import { contentOf } from '../../src/inventory/content/content.ts'
import { readLayer } from '../../src/inventory/layer.ts'
import { spdxOf } from '../../src/inventory/licences/licences.ts'
import { licencesOf, referencesIn } from '../../src/inventory/sbom/licences.ts'
import { readSbom } from '../../src/inventory/sbom/read/read.ts'
import { squash } from '../../src/inventory/squash.ts'
import { imageOf, layoutOf, pointTo, types } from '../../src/inventory/testing/images.ts'
import { hardLink, symlink, tarOf } from '../../src/inventory/testing/tars.ts'
import { elfWith } from '../../src/inventory/testing/probes.ts'
import { zipOf } from '../../src/inventory/testing/zips.ts'
import { TarReader } from '../../src/inventory/tar/reader.ts'
import { directoryOf } from '../../src/inventory/zip/directory.ts'
import { unpack, unpackWhole } from '../../src/inventory/zip/unpack.ts'
import { describeConfig } from '../../src/flow/scan/config.ts'
import { describeLayers } from '../../src/flow/scan/layers.ts'
import type { LayerFacts } from '../../src/model/layer.ts'
import { samplesOf } from './samples.ts'
import { sparseTars } from '../../src/inventory/testing/sparse.ts'
import { bear } from './target.ts'
import type { Target } from './target.ts'

const mostMembers = 4 * 1024 * 1024

export async function inventoryTargets(): Promise<Target[]> {
  const tars = [await smallTar(), ...sparseTars()]
  const archives = [await ociArchive(), await dockerArchive()]
  return [
    {
      name: 'layer',
      samples: [...tars, ...tars.map((tar) => gzipSync(tar)), ...tars.map((tar) => zstdCompressSync(tar))],
      run: readsLayer,
    },
    { name: 'tar', samples: tars, run: readsTar },
    { name: 'archive', samples: [...archives, ...archives.map((tar) => gzipSync(tar)), Buffer.from(cycloneDx)], run: readsArchive },
    {
      name: 'zip',
      samples: [
        zipOf([
          ['a', 'text'],
          ['b/c', 'x'.repeat(3000), 'stored'],
        ]),
      ],
      run: readsZip,
    },
    { name: 'sbom', samples: sboms.map((text) => Buffer.from(text)), run: borne((bytes) => checkedSquash(readSbom(bytes, 'a.json'))) },
    {
      name: 'licence',
      samples: [
        'MIT',
        'GPL-2.0+ and (Apache-2.0 or BSD)',
        'x-1',
        'GPL (>= 2) | file LICENSE',
        'https://www.apache.org/licenses/LICENSE-2.0',
        'MIT AND LicenseRef-a',
      ].map((text) => Buffer.from(text)),
      run: (bytes) => readsLicence(bytes.toString('utf8')),
    },
    { name: 'image config', samples: [Buffer.from(config)], run: borne(readsConfig) },
  ]
}

/** In: a reader. Out: the same, whose errors about the input are fine. */
export function borne(read: (bytes: Buffer) => unknown): (bytes: Buffer) => Promise<void> {
  return async (bytes) => {
    try {
      await read(bytes)
    } catch (error) {
      bear(error)
    }
  }
}

function readsLicence(text: string): number {
  const words = spdxOf(text)
  if (words !== undefined && (spdxOf(words) ?? words) !== words) throw new TypeError('an expression that means another')
  return licencesOf(text).length + referencesIn(words ?? text).length
}

const readsLayer = borne(async (bytes) => {
  const open = () => Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)].filter(({ length }) => length > 0))
  const limits = { uncompressedBytes: 64 * 1024 * 1024 }
  checkedSquash(await readLayer(open(), { reopen: open, limits }))
})

function checkedSquash(facts: LayerFacts): void {
  const inventory = squash([facts, facts])
  if (inventory.files.count > facts.files.length) throw new TypeError('more files than the layers have')
  JSON.stringify(inventory)
}

const readsTar = borne((bytes) => {
  let open = 0
  const reader = new TarReader({ entry: () => void open++, data: () => {}, end: () => void open-- })
  for (let at = 0; at < bytes.length; at += 700) reader.push(bytes.subarray(at, at + 700))
  reader.finish()
  if (open !== 0) throw new TypeError('an entry has no end')
})

const readsZip = borne(async (bytes) => {
  const content = contentOf(bytes)
  for (const entry of directoryOf(content, 1 << 20)?.entries ?? []) {
    try {
      const whole = unpackWhole(content, entry, mostMembers)
      const { content: again, close } = await unpack(content, entry, () => {})
      try {
        if (!again.read(0, again.sizeBytes).equals(whole)) throw new TypeError('two readings of one entry differ')
      } finally {
        close()
      }
    } catch (error) {
      bear(error)
    }
  }
})

async function readsArchive(bytes: Buffer): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'lazaret-fuzz-'))
  try {
    const path = join(folder, 'image')
    writeFileSync(path, bytes)
    await borne(async () => {
      const image = await openImage(path)
      try {
        for (const { layers } of image.manifests.slice(0, 4))
          for (const layer of layers.slice(0, 4))
            await borne(async () => (layer.facts === undefined ? await readLayer(layer.open()) : await layer.facts()))(bytes)
      } finally {
        await image.close()
      }
    })(bytes)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readsConfig(bytes: Buffer): void {
  describeConfig(bytes)
  describeLayers(bytes, [{}, {}])
}

async function smallTar(): Promise<Buffer> {
  const files = ['dpkg', 'apk', 'npm', 'python', 'gem', 'java', 'release', 'composer'].flatMap(samplesOf)
  return await tarOf([
    'usr/',
    symlink('lib', 'usr/lib'),
    ...files.map(({ path, bytes }): [string, Buffer] => [path, bytes[0] as Buffer]),
    hardLink('srv/status', 'var/lib/dpkg/status'),
    'etc/.wh.passwd',
    'opt/.wh..wh..opq',
    [`${'long/'.repeat(40)}name`, 'text'],
    ['ünïcode', 'text'],
    ['usr/sbin/nginx', elfWith('\0nginx version: nginx/1.25.3\0')],
  ])
}

async function ociArchive(): Promise<Buffer> {
  const { manifest, blobs } = imageOf([gzipSync(await smallTar())], `${types.layer}+gzip`)
  return await tarOf(layoutOf([pointTo(manifest, types.manifest, { platform: { os: 'linux', architecture: 'amd64' } })], blobs))
}

async function dockerArchive(): Promise<Buffer> {
  return await tarOf([
    ['config.json', config],
    ['a/layer.tar', await tarOf(['a', ['var/lib/dpkg/status', 'Package: a\nStatus: install ok installed\nVersion: 1\n\n']])],
    ['manifest.json', JSON.stringify([{ Config: 'config.json', RepoTags: ['a:b'], Layers: ['a/layer.tar'] }])],
  ])
}

const digest = `sha256:${'0'.repeat(64)}`
const config = JSON.stringify({
  os: 'linux',
  architecture: 'amd64',
  created: '2026-01-01T00:00:00Z',
  config: { Cmd: ['/bin/sh'], Env: ['A=b'], Labels: { a: 'b' }, User: 'root' },
  rootfs: { type: 'layers', diff_ids: [digest] },
  history: [
    { created_by: '/bin/sh -c #(nop) ADD a /', created: '2026-01-01T00:00:00Z' },
    { created_by: 'RUN a # buildkit', empty_layer: true },
  ],
})
const component = { type: 'library', 'bom-ref': 'a', name: 'a', version: '1', purl: 'pkg:npm/a@1', licenses: [{ license: { id: 'MIT' } }] }
const cycloneDx = JSON.stringify({
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  version: 1,
  components: [
    { ...component, components: [{ ...component, 'bom-ref': 'b', purl: 'pkg:deb/debian/b@1-1?arch=amd64&distro=debian-12' }] },
    { type: 'operating-system', name: 'debian', version: '12', properties: [{ name: 'aquasecurity:trivy:Class', value: 'os-pkgs' }] },
  ],
  dependencies: [
    { ref: 'a', dependsOn: ['b'] },
    { ref: 'b', dependsOn: ['a'] },
  ],
})
const reference = { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: 'pkg:pypi/a@1' }
const spdx2 = JSON.stringify({
  spdxVersion: 'SPDX-2.3',
  SPDXID: 'SPDXRef-DOCUMENT',
  packages: [
    {
      SPDXID: 'SPDXRef-a',
      name: 'a',
      versionInfo: '1',
      licenseDeclared: 'MIT',
      externalRefs: [reference],
      primaryPackagePurpose: 'LIBRARY',
    },
  ],
  relationships: [{ spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-a' }],
})
const spdx3 = JSON.stringify({
  '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld',
  '@graph': [
    { type: 'SpdxDocument', spdxId: 'd', rootElement: ['a'] },
    { type: 'software_Package', spdxId: 'a', name: 'a', software_packageVersion: '1', software_packageUrl: 'pkg:npm/a@1' },
    { type: 'Relationship', spdxId: 'r', from: 'a', to: ['a'], relationshipType: 'dependsOn' },
  ],
})
const scanned = JSON.stringify({
  target: 'a',
  packages: [{ kind: 'npm', name: 'a', version: '1', purl: 'pkg:npm/a@1', location: 'a', layer: digest }],
  findings: [],
  doubts: [],
})
const sboms = [cycloneDx, spdx2, spdx3, scanned]
