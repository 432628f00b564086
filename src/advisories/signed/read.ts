import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createZstdDecompress } from 'node:zlib'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import {
  headBytes,
  mostEnvelopeBytes,
  mostPackedBytes,
  mostUnpackedBytes,
  openEnvelope,
  skippableMagic,
  type BytesOf,
  type ExportManifest,
} from './form.ts'
import type { TrustedKey } from './keys.ts'

export interface ReadExportOptions {
  trusted: readonly TrustedKey[]
  allowUnsigned: boolean
}

export interface ReadExport {
  manifest: ExportManifest
  /** Undefined where it was let in without a signature that is trusted. */
  signedBy: TrustedKey | undefined
  /** Writes the database, held to its size and hash. Throws UNREADABLE. */
  unpack(path: string): Promise<void>
}

/** Whether a file begins as an export does; no more than that. Out: false also where it can't be opened, which others say better. */
export async function isSignedExport(path: string): Promise<boolean> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return false
  try {
    if (!(await file.stat()).isFile()) return false
    const head = await bytesAt(file, 0, headBytes)
    return head.length === headBytes && head.readUInt32LE(0) === skippableMagic
  } finally {
    await file.close()
  }
}

/**
 * In: the path of an export. Out: its manifest, once the signature holds and the bytes are those that it speaks of.
 * Throws DENIED where it is signed by no key that is trusted, UNREADABLE where it is damaged, LIMIT_EXCEEDED where it is too large.
 */
export async function readExport(path: string, { trusted, allowUnsigned }: ReadExportOptions): Promise<ReadExport> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const head = await bytesAt(file, 0, headBytes)
    const length = head.length < headBytes ? 0 : head.readUInt32LE(4)
    if (length > mostEnvelopeBytes)
      throw new LazaretError('LIMIT_EXCEEDED', `the envelope has ${length} bytes, more than ${mostEnvelopeBytes}`)
    const { manifest, signedBy } = openEnvelope(await bytesAt(file, headBytes, length), trusted)
    if (signedBy === undefined && !allowUnsigned) throw untrusted(trusted)
    const start = headBytes + length
    requireSizes(manifest, size - start)
    await requireHash(path, start, manifest.packed)
    return { manifest, signedBy, unpack: (to) => unpack(path, start, manifest.database, to) }
  } finally {
    await file.close()
  }
}

function untrusted(trusted: readonly TrustedKey[]): LazaretError {
  const known = trusted.length === 1 ? 'the one key that is trusted here' : `any of the ${trusted.length} keys that are trusted here`
  return new LazaretError(
    'DENIED',
    `the export is not signed by ${known}: put what \`lazaret advisories key\` prints where it was made into advisories.trustedKeys, or bring it in with --allow-unsigned`,
  )
}

function requireSizes({ packed, database }: ExportManifest, present: number): void {
  if (packed.sizeBytes > mostPackedBytes || database.sizeBytes > mostUnpackedBytes)
    throw new LazaretError(
      'LIMIT_EXCEEDED',
      `the export has ${packed.sizeBytes} bytes and unfolds to ${database.sizeBytes}; up to ${mostPackedBytes} and ${mostUnpackedBytes} are taken`,
    )
  if (present !== packed.sizeBytes)
    throw new LazaretError('UNREADABLE', `the export has ${present} bytes after its envelope, and ${packed.sizeBytes} were signed`)
}

async function requireHash(path: string, start: number, { sha256 }: BytesOf): Promise<void> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { start })) hash.update(chunk as Buffer)
  if (hash.digest('hex') !== sha256) throw new LazaretError('UNREADABLE', 'the bytes of the export are not those that were signed')
}

/** Never writes more than was signed, whatever the frame unfolds to. */
async function unpack(path: string, start: number, wanted: BytesOf, to: string): Promise<void> {
  const hash = createHash('sha256')
  let size = 0
  async function* held(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      size += chunk.length
      if (size > wanted.sizeBytes)
        throw new LazaretError('UNREADABLE', `the export unfolds to more than the ${wanted.sizeBytes} bytes that it says`)
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    await pipeline(createReadStream(path, { start }), createZstdDecompress(), held, createWriteStream(to, { flags: 'wx', mode: 0o600 }))
  } catch (cause) {
    if (cause instanceof LazaretError || (cause as NodeJS.ErrnoException).syscall !== undefined) throw cause
    throw new LazaretError('UNREADABLE', `the export can't be unpacked: ${messageOf(cause)}`, { cause })
  }
  if (size !== wanted.sizeBytes || hash.digest('hex') !== wanted.sha256)
    throw new LazaretError('UNREADABLE', 'what the export unfolds to is not what was signed')
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}
