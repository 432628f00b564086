import { createReadStream, read } from 'node:fs'
import { Readable } from 'node:stream'
import { promisify } from 'node:util'
import { LazaretError } from '../../kit/errors.ts'
import { collect } from '../../kit/streams/collect.ts'
import { mostSbomBytes } from '../sbom/read/file.ts'
import { isJsonHead } from '../sbom/read/head.ts'
import type { LocalManifest } from './image.ts'

const headBytes = 4096

/** In: an open file, its bytes plain. Out: whether it is JSON, which no archive is. */
export async function isSbom(fd: number): Promise<boolean> {
  const head = Buffer.alloc(headBytes)
  const { bytesRead } = await promisify(read)(fd, head, 0, headBytes, 0)
  return isJsonHead(head.subarray(0, bytesRead))
}

/** An SBOM as an image of one layer, of which nothing is read but what the document says. */
export function sbomManifest(fd: number, sizeBytes: number, name: string): LocalManifest {
  const open = () => (sizeBytes === 0 ? Readable.from([]) : createReadStream('', { fd, autoClose: false, start: 0, end: sizeBytes - 1 }))
  const facts = async () => {
    if (sizeBytes > mostSbomBytes)
      throw new LazaretError('LIMIT_EXCEEDED', `${name} has ${sizeBytes} bytes, more than the ${mostSbomBytes} of an SBOM that are read`)
    const { readSbom } = await import('../sbom/read/read.ts')
    return readSbom(await collect(open(), mostSbomBytes, name), name)
  }
  return { role: 'image', names: [], configBytes: Buffer.from('{}'), layers: [{ open, facts }] }
}
