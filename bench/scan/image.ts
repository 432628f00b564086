// Images on the disk, as `docker save` writes them: an OCI layout with `manifest.json` beside it, and the same in one archive.
// Layers pass through as streams: an image may be larger than memory.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, statSync } from 'node:fs'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGunzip, createGzip } from 'node:zlib'
import { sha256 } from '../../test/support/content.ts'

export interface MadeImage {
  /** A tar, and the folder of the same content. */
  archive: string
  layout: string
  layers: MadeLayer[]
}

export interface MadeLayer {
  path: string
  digest: string
  /** Of the tar; both sizes in bytes. */
  diffId: string
  sizeBytes: number
  plainBytes: number
}

const made = 'lazaret-bench.json'

/** In: a folder, a name, and plain tars from the lowest up. Out: the image; one that was made before is used again. */
export async function imageIn(folder: string, name: string, tars: () => readonly (Readable | MadeLayer)[]): Promise<MadeImage> {
  const [archive, layout] = [join(folder, `${name}.tar`), join(folder, name)]
  if (!existsSync(join(layout, made))) await make(archive, layout, tars())
  return { archive, layout, layers: JSON.parse(await readFile(join(layout, made), 'utf8')) as MadeLayer[] }
}

/** The last step makes it stand: what a killed run left is begun anew. */
async function make(archive: string, layout: string, tars: readonly (Readable | MadeLayer)[]): Promise<void> {
  const draft = `${layout}.draft`
  for (const left of [draft, layout]) await rm(left, { recursive: true, force: true })
  const blobs = join(draft, 'blobs', 'sha256')
  await mkdir(blobs, { recursive: true })
  const layers: MadeLayer[] = []
  for (const tar of tars) layers.push('digest' in tar ? await linked(tar, blobs) : await packed(tar, blobs))
  await writeDescriptions(draft, blobs, layers)
  await promisify(execFile)('tar', ['-cf', archive, '-C', draft, 'blobs', 'index.json', 'manifest.json', 'oci-layout'])
  const placed = layers.map((layer) => ({ ...layer, path: join(layout, 'blobs', 'sha256', hexOf(layer.digest)) }))
  await writeFile(join(draft, made), JSON.stringify(placed))
  await rename(draft, layout)
}

async function linked(layer: MadeLayer, blobs: string): Promise<MadeLayer> {
  await link(layer.path, join(blobs, hexOf(layer.digest)))
  return layer
}

/** Gzip as Docker packs, at zlib's own level. */
async function packed(tar: Readable, blobs: string): Promise<MadeLayer> {
  const draft = join(blobs, 'draft')
  const [plain, stored] = [counted(), counted()]
  await pipeline(tar, plain.stream, createGzip({ chunkSize: 1 << 18 }), stored.stream, createWriteStream(draft))
  const path = join(blobs, hexOf(stored.digest()))
  await rename(draft, path)
  return { path, digest: stored.digest(), diffId: plain.digest(), sizeBytes: stored.bytes(), plainBytes: plain.bytes() }
}

function counted() {
  const hash = createHash('sha256')
  let sizeBytes = 0
  let digest: string | undefined
  const stream = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      sizeBytes += chunk.length
      done(null, chunk)
    },
  })
  return { stream, bytes: () => sizeBytes, digest: () => (digest ??= `sha256:${hash.digest('hex')}`) }
}

/** OCI image-spec, image-layout.md; moby's image/tarexport, "manifest.json". */
async function writeDescriptions(layout: string, blobs: string, layers: readonly MadeLayer[]): Promise<void> {
  const blob = async (content: object) => {
    const bytes = Buffer.from(JSON.stringify(content))
    const digest = sha256(bytes)
    await writeFile(join(blobs, hexOf(digest)), bytes)
    return { digest, size: bytes.length }
  }
  const created = '2026-01-01T00:00:00Z'
  const config = await blob({
    created,
    architecture: 'amd64',
    os: 'linux',
    config: { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map((_, at) => ({ created, created_by: `COPY part-${at} /` })),
  })
  const manifestType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = await blob({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
    layers: layers.map(({ digest, sizeBytes: size }) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size })),
  })
  const index = { schemaVersion: 2, manifests: [{ mediaType: manifestType, ...manifest }] }
  const inBlobs = (digest: string) => `blobs/sha256/${hexOf(digest)}`
  const saved = [{ Config: inBlobs(config.digest), RepoTags: null, Layers: layers.map(({ digest }) => inBlobs(digest)) }]
  await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  await writeFile(join(layout, 'index.json'), JSON.stringify(index))
  await writeFile(join(layout, 'manifest.json'), JSON.stringify(saved))
}

/** Throws where what was kept is not what was made: a figure of a cut file would be a lie. */
export async function proveImage({ archive, layers }: MadeImage): Promise<void> {
  const sum = layers.reduce((all, { sizeBytes }) => all + sizeBytes, 0)
  if (statSync(archive).size < sum) throw new Error(`${archive} is shorter than its layers`)
  for (const { path, diffId } of layers) {
    const plain = counted()
    await pipeline(createReadStream(path), createGunzip(), plain.stream, async (source) => {
      for await (const _ of source);
    })
    if (plain.digest() !== diffId) throw new Error(`${path} is not what was made`)
  }
}

function hexOf(digest: string): string {
  return digest.slice('sha256:'.length)
}
