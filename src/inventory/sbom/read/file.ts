import { createReadStream } from 'node:fs'
import { collect } from '../../../kit/streams/collect.ts'
import { decompress } from '../../../kit/streams/decompress.ts'
import { LazaretError } from '../../../kit/errors.ts'

/** An SBOM of a large image has some ten megabytes; twenty times as much still fits into memory when it is parsed. */
export const mostSbomBytes = 200 * 1024 * 1024

/** In: a path. Out: its bytes, plain. Throws NOT_FOUND, UNREADABLE, LIMIT_EXCEEDED. */
export async function readSbomFile(path: string): Promise<Buffer> {
  try {
    const { bytes } = await decompress(createReadStream(path))
    return await collect(bytes, mostSbomBytes, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new LazaretError('NOT_FOUND', `there is no ${path}`, { cause: error })
    throw error
  }
}
