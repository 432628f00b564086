import type { Readable } from 'node:stream'
import { LazaretError } from '../kit/errors.ts'
import type { Answer } from '../kit/http.ts'
import type { Blob } from '../store/blobs/blobs.ts'

/**
 * A blob as an answer, whole or in part (RFC 9110 §14, one range). In: the Range header, and how to read; without `read`
 * only the head. Errors: RANGE_INVALID (416) for a range outside the blob.
 */
export async function blobAnswer(
  blob: Pick<Blob, 'digest' | 'sizeBytes'>,
  rangeHeader: string | undefined,
  read: ((range?: { start: number; end: number }) => Promise<Readable>) | undefined,
): Promise<Answer> {
  const range = rangeHeader === undefined ? undefined : parseRange(rangeHeader, blob.sizeBytes)
  const sizeBytes = range === undefined ? blob.sizeBytes : range.end - range.start
  const body = await read?.(range)
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(sizeBytes),
      'docker-content-digest': blob.digest,
      'accept-ranges': 'bytes',
      etag: `"${blob.digest}"`,
      ...(range === undefined ? {} : { 'content-range': `bytes ${range.start}-${range.end - 1}/${blob.sizeBytes}` }),
    },
    ...(body === undefined ? {} : { body }),
  }
}

/**
 * Out: start and end (exclusive) in bytes; undefined for what RFC 9110 says to ignore: other units, several ranges, bad
 * forms. A range that ends before it begins is refused like one outside the blob, as the conformance suite wants it.
 */
export function parseRange(header: string, sizeBytes: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header.trim())
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const [, first = '', last = ''] = match
  const start = first === '' ? Math.max(sizeBytes - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes)
  if (start >= end) {
    throw new LazaretError('RANGE_INVALID', `the blob has ${sizeBytes} bytes`, { headers: { 'content-range': `bytes */${sizeBytes}` } })
  }
  return { start, end }
}
