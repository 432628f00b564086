import { close, constants, createReadStream, fstat, open, read } from 'node:fs'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { LazaretError } from '../kit/errors.ts'
import { compressionOf } from '../kit/streams/sniff.ts'
import type { FileSet } from './archive/files.ts'
import { openFolder } from './archive/folder.ts'
import type { LocalImage } from './archive/image.ts'
import { readOciLayout } from './archive/oci.ts'

export type { LocalImage, LocalLayer, LocalManifest } from './archive/image.ts'

/**
 * Opens an image that lies on this machine: a Docker or OCI archive (plain, or as a whole in gzip or zstd), an OCI
 * layout, a folder with a root file system, or an SBOM in JSON. Every archive with an `index.json` is read as an OCI layout,
 * as newer Docker writes both.
 * In: a path; `-` is standard input. Out: its manifests; `close` it at the end.
 * Throws NOT_FOUND, UNREADABLE (no such archive, or a broken one), LIMIT_EXCEEDED; errors of the disk pass through.
 */
export async function openImage(path: string): Promise<LocalImage> {
  if (path === '-') return await openPlain(await spooled(process.stdin), 'standard input')
  const stats = await statOf(path)
  if (stats.isDirectory()) return await openDirectory(path)
  return await openPlain(await openFile(path), path)
}

async function openDirectory(path: string): Promise<LocalImage> {
  const problems: string[] = []
  if (!(await isLayout(path))) {
    const { rootfsManifest } = await import('./archive/rootfs.ts')
    return { kind: 'rootfs', manifests: [rootfsManifest(path, problems)], problems, close: async () => {} }
  }
  const files = await openFolder(path)
  return { kind: 'oci-layout', manifests: await readOciLayout(files, problems), problems, close: files.close }
}

/** OCI image-spec, image-layout.md: both files must be there. */
async function isLayout(path: string): Promise<boolean> {
  const files = await openFolder(path)
  return (await files.find('index.json')) !== undefined && (await files.find('oci-layout')) !== undefined
}

async function openPlain({ fd, sizeBytes }: { fd: number; sizeBytes: number }, name: string): Promise<LocalImage> {
  try {
    const { isSbom, sbomManifest } = await import('./archive/sbom.ts')
    if (!(await isSbom(fd))) return await readArchive(await (await import('./archive/tar.ts')).openTar(fd, sizeBytes))
    const manifests = [sbomManifest(fd, sizeBytes, name)]
    return { kind: 'sbom', manifests, problems: [], close: async () => await promisify(close)(fd) }
  } catch (error) {
    await promisify(close)(fd)
    throw error
  }
}

async function readArchive(files: FileSet): Promise<LocalImage> {
  const problems: string[] = []
  if ((await files.find('index.json')) !== undefined) {
    return { kind: 'oci-archive', manifests: await readOciLayout(files, problems), problems, close: files.close }
  }
  if ((await files.find('manifest.json')) !== undefined) {
    const { readDockerArchive } = await import('./archive/docker.ts')
    return { kind: 'docker-archive', manifests: await readDockerArchive(files, problems), problems, close: files.close }
  }
  throw new LazaretError('UNREADABLE', 'neither a Docker nor an OCI archive: it holds no manifest.json and no index.json')
}

/** A compressed file and a pipe can't be sought: their plain bytes are put where they can be. */
async function openFile(path: string): Promise<{ fd: number; sizeBytes: number }> {
  const fd = await promisify(open)(path, constants.O_RDONLY)
  const stats = await promisify(fstat)(fd)
  const head = Buffer.alloc(16)
  if (stats.isFile()) await promisify(read)(fd, head, 0, head.length, 0)
  if (stats.isFile() && compressionOf(head) === 'none') return { fd, sizeBytes: stats.size }
  return await spooled(createReadStream(path, { fd, ...(stats.isFile() && { start: 0 }), highWaterMark: 256 * 1024 }))
}

async function spooled(source: AsyncIterable<Uint8Array>): Promise<{ fd: number; sizeBytes: number }> {
  const { spool } = await import('./archive/spool.ts')
  return await spool(source)
}

async function statOf(path: string) {
  try {
    return await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new LazaretError('NOT_FOUND', `there is no ${path}`, { cause: error })
  }
}
