// Layers: a tar of files, packed as clients pack them.

import { promisify } from 'node:util'
import { gzip, zstdCompress } from 'node:zlib'
import { pack } from 'tar-stream'
import { type ContentDescriptor, descriptorOf, sha256 } from './content.ts'

export type Packing = 'gzip' | 'zstd' | 'none'
export type Form = 'oci' | 'docker'

export interface Layer {
  descriptor: ContentDescriptor
  bytes: Buffer
  diffId: string
}

/** Paths without a leading slash; a value of `null` is a whiteout's empty file. */
export type Files = Record<string, string | Uint8Array | null>

const gzipped = promisify(gzip)
const zstded = promisify(zstdCompress)

/** In: files and how to pack them. Out: the layer, always the same bytes for the same files. */
export async function layerOf(files: Files, packing: Packing = 'gzip', form: Form = 'oci'): Promise<Layer> {
  return packLayer(await tarOf(files), packing, form)
}

/** In: a tar. Out: the layer. */
export async function packLayer(tar: Buffer, packing: Packing, form: Form): Promise<Layer> {
  const bytes = packing === 'gzip' ? await gzipped(tar) : packing === 'zstd' ? await zstded(tar) : tar
  return { descriptor: descriptorOf(mediaTypeOf(packing, form), bytes), bytes, diffId: sha256(tar) }
}

export async function tarOf(files: Files): Promise<Buffer> {
  const archive = pack()
  const chunks: Buffer[] = []
  const whole = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Buffer)
  })()
  for (const folder of foldersOf(Object.keys(files))) archive.entry({ name: folder, type: 'directory', mode: 0o755, mtime })
  for (const [name, body] of Object.entries(files)) archive.entry({ name, mode: 0o644, mtime }, Buffer.from(body ?? ''))
  archive.finalize()
  await whole
  return Buffer.concat(chunks)
}

const mtime = new Date('2026-01-01T00:00:00Z')

function foldersOf(paths: string[]): string[] {
  const parents = paths.flatMap((path) =>
    path
      .split('/')
      .slice(0, -1)
      .map((_, depth, parts) => `${parts.slice(0, depth + 1).join('/')}/`),
  )
  return [...new Set(parents)].toSorted()
}

function mediaTypeOf(packing: Packing, form: Form): string {
  if (form === 'docker')
    return packing === 'none' ? 'application/vnd.docker.image.rootfs.diff.tar' : `application/vnd.docker.image.rootfs.diff.tar.${packing}`
  return packing === 'none' ? 'application/vnd.oci.image.layer.v1.tar' : `application/vnd.oci.image.layer.v1.tar+${packing}`
}
