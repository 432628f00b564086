// What clients wrote to disk: OCI layouts, and skopeo's plain folders.

import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { PulledImage } from './client.ts'
import { sha256 } from './content.ts'

/** In: a layout that a pull has written, its root named `pulled` where there are several entries. Out: what it holds, each file held against its name; the folder is removed. */
export async function takeLayout(folder: string): Promise<PulledImage> {
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8')) as LayoutIndex
  const digests: string[] = []
  for (const algorithm of await readdir(join(folder, 'blobs'))) {
    for (const hex of await readdir(join(folder, 'blobs', algorithm))) {
      const actual = createHash(algorithm)
        .update(await readFile(join(folder, 'blobs', algorithm, hex)))
        .digest('hex')
      if (actual !== hex) throw new Error(`${folder}: ${algorithm}:${hex} holds the bytes of ${actual}`)
      digests.push(`${algorithm}:${hex}`)
    }
  }
  await rm(folder, { recursive: true })
  const root = index.manifests.find(
    (entry) => index.manifests.length === 1 || entry.annotations?.['org.opencontainers.image.ref.name'] === 'pulled',
  )
  if (root === undefined) throw new Error(`${folder}: ${index.manifests.length} entries in the index, none of them named`)
  return { digest: root.digest, digests: digests.toSorted() }
}

/** In: a folder of skopeo's `dir:` form (manifest.json, version, a file per blob). Out: the digests of its bytes, sorted; the folder is removed. */
export async function takeFolder(folder: string): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name !== 'version')
  const digests: string[] = []
  for (const name of files) {
    const digest = sha256(await readFile(join(folder, name)))
    if (/^[0-9a-f]{64}$/.test(name) && digest !== `sha256:${name}`) throw new Error(`${folder}/${name} holds the bytes of ${digest}`)
    digests.push(digest)
  }
  await rm(folder, { recursive: true })
  return digests.toSorted()
}

interface LayoutIndex {
  manifests: { digest: string; annotations?: Record<string, string> }[]
}
