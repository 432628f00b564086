import { LazaretError } from '../../kit/errors.ts'
import { digestOf } from '../../model/digest.ts'
import { maxLayers, readConfig } from './config.ts'
import { readSmall } from './files.ts'
import type { FileSet, StoredFile } from './files.ts'
import type { LocalManifest } from './image.ts'
import { asArray, asObject, asString, parseJson } from './json.ts'

const maxImages = 1000

/**
 * The images of a `docker save` archive, in all its dialects: layer folders, names by digest, kaniko's `sha256:…`
 * configs, layers as plain tar or compressed already.
 * In: its files, and the list that problems go to. Out: one manifest an image. Throws UNREADABLE.
 * github.com/moby/moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset Format".
 */
export async function readDockerArchive(files: FileSet, problems: string[]): Promise<LocalManifest[]> {
  const listed = asArray(
    parseJson(await readSmall(await need(files, 'manifest.json'), 'manifest.json'), 'manifest.json'),
    maxImages,
    'manifest.json',
  )
  if (listed.length === 0) throw new LazaretError('UNREADABLE', 'manifest.json lists no image')
  return await Promise.all(listed.map((item, at) => readImage(files, item, `image ${at + 1} of manifest.json`, problems)))
}

async function readImage(files: FileSet, item: unknown, what: string, problems: string[]): Promise<LocalManifest> {
  const image = asObject(item, what)
  const configName = asString(image['Config'], `Config of ${what}`)
  const layerNames = asArray(image['Layers'] ?? [], maxLayers, `Layers of ${what}`).map((name) => asString(name, `a layer of ${what}`))
  const tags = asArray(image['RepoTags'] ?? [], maxImages, `RepoTags of ${what}`).filter((tag) => typeof tag === 'string')
  const configBytes = await readSmall(await need(files, configName), configName)
  const { diffIds, platform } = readConfig(configBytes, layerNames.length, problems)
  const stored = await Promise.all(layerNames.map((name) => need(files, name)))
  const layers = stored.map((file, at) => ({
    sizeBytes: file.sizeBytes,
    open: file.open,
    storedDigest: async () => digestOf('sha256', await file.hash('sha256')),
    ...(diffIds[at] !== undefined && { diffId: diffIds[at] }),
  }))
  return { role: 'image', ...(platform !== undefined && { platform }), names: tags, configBytes, layers }
}

async function need(files: FileSet, path: string): Promise<StoredFile> {
  const file = await files.find(path)
  if (file === undefined) throw new LazaretError('UNREADABLE', `the archive does not hold ${path.slice(0, 200)}`)
  return file
}
