import { zstdDecompressSync } from 'node:zlib'
import { LazaretError } from '../kit/errors.ts'
import type { Evidence } from '../model/verdict.ts'

/** Evidence of the largest images seen has some megabytes; a stored one beyond this was not made by us. */
const mostEvidenceBytes = 512 * 1024 * 1024

/** In: the stored form, JSON under zstd. Throws LazaretError INTERNAL where it is damaged. */
export function decodeEvidence(content: Uint8Array): Evidence {
  try {
    return JSON.parse(zstdDecompressSync(content, { maxOutputLength: mostEvidenceBytes }).toString('utf8')) as Evidence
  } catch (cause) {
    throw new LazaretError('INTERNAL', 'stored evidence is damaged', { cause })
  }
}
