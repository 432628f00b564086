import { createHash, type KeyObject } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { currentRevision, revisionPath } from '../revisions.ts'
import { schemaVersion } from '../schema.ts'
import { statusOf } from '../status.ts'
import { signedHead, type BytesOf, type ExportManifest, type ManifestFacts } from './form.ts'

export type { ExportManifest } from './form.ts'

const level = 9

/**
 * In: the data folder, the file to be made, and the pair that signs it. Out: what its manifest says. What stood at that path is
 * replaced once the file is whole. Throws UNAVAILABLE where no database is in force, or the file can't be written.
 */
export async function writeSigned(
  dataFolder: string,
  path: string,
  pair: { privateKey: KeyObject; publicKey: KeyObject },
  now = new Date(),
): Promise<ManifestFacts> {
  const revision = currentRevision(dataFolder)
  if (revision === undefined) throw new LazaretError('UNAVAILABLE', `there is no advisory database in ${dataFolder}`)
  const [packed, whole] = [`${path}.${process.pid}.packed`, `${path}.${process.pid}.tmp`]
  try {
    const sizes = await pack(revisionPath(dataFolder, revision), packed)
    const { records, withdrawn, exploited, sources } = statusOf(dataFolder, now)
    const facts = {
      revision: revision.revision,
      date: revision.date,
      createdAt: now.toISOString(),
      schema: schemaVersion,
      records,
      withdrawn,
      exploited,
      sources: sources.map(({ source, records: count, newest }) => ({ source, records: count, newest })),
      ...sizes,
    }
    await join(signedHead(facts, pair), packed, whole)
    await rename(whole, path)
    return facts
  } catch (cause) {
    if (cause instanceof LazaretError) throw cause
    throw new LazaretError('UNAVAILABLE', `${path} can't be written: ${messageOf(cause)}`, { cause })
  } finally {
    for (const left of [packed, whole]) await rm(left, { force: true })
  }
}

async function pack(database: string, packed: string): Promise<Pick<ExportManifest, 'database' | 'packed'>> {
  const [plain, small] = [counter(), counter()]
  const compress = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
  })
  await pipeline(createReadStream(database), plain.pass, compress, small.pass, createWriteStream(packed, { flags: 'wx', mode: 0o600 }))
  return { database: plain.seen(), packed: small.seen() }
}

function counter(): { pass: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>; seen: () => BytesOf } {
  const hash = createHash('sha256')
  let sizeBytes = 0
  return {
    async *pass(chunks) {
      for await (const chunk of chunks) {
        hash.update(chunk)
        sizeBytes += chunk.length
        yield chunk
      }
    },
    seen: () => ({ sizeBytes, sha256: hash.digest('hex') }),
  }
}

async function join(head: Buffer, packed: string, whole: string): Promise<void> {
  const file = await open(whole, 'wx', 0o600)
  try {
    await file.writeFile(head)
    for await (const chunk of createReadStream(packed)) await file.writeFile(chunk as Buffer)
    await file.sync()
  } finally {
    await file.close()
  }
}
