import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import { isObject } from '../fields.ts'

/** By what a server knows its file again (RFC 9110, 8.8). */
export interface Validators {
  etag?: string
  lastModified?: string
}

/*
 *  NAME.part        what came of a file so far
 *  NAME.part.json   of which URL, and by which validator it can be gone on with
 */
export interface Begun {
  url: string
  /** A strong validator, for If-Range. */
  validator: string
}

export const partOf = (path: string): string => `${path}.part`
const noteOf = (path: string): string => `${path}.part.json`

/** In: where the file is to be, and its URL. Out: how many bytes are there already, and the validator that they belong to. */
export async function begunAt(path: string, url: string): Promise<{ bytes: number; validator: string } | undefined> {
  const text = await readFile(noteOf(path), 'utf8').catch(unlessMissing)
  const found = await stat(partOf(path)).catch(unlessMissing)
  if (text === undefined || found === undefined || found.size === 0) return undefined
  const begun = parsed(text)
  return begun?.url === url ? { bytes: found.size, validator: begun.validator } : undefined
}

export async function noteBegun(path: string, begun: Begun | undefined): Promise<void> {
  if (begun === undefined) await rm(noteOf(path), { force: true })
  else await writeFile(noteOf(path), JSON.stringify(begun), { mode: 0o600 })
}

export async function dropBegun(path: string): Promise<void> {
  for (const left of [partOf(path), noteOf(path)]) await rm(left, { force: true })
}

/**
 * In: the head of an answer. Out: a validator that proves bytes to be of the same file: an ETag that is not weak, else a
 * Last-Modified that is a minute older than the answer (RFC 9110, 8.8.2.2).
 */
export function strongValidator(headers: Headers): string | undefined {
  const etag = headers.get('etag')
  if (etag !== null && isEtag(etag) && !etag.startsWith('W/')) return etag
  const [modified, date] = [headers.get('last-modified'), headers.get('date')]
  return modified !== null && date !== null && Date.parse(date) - Date.parse(modified) >= 60_000 ? modified : undefined
}

export function validatorsOf(headers: Headers): Validators {
  const etag = headers.get('etag')
  const lastModified = headers.get('last-modified')
  return {
    ...(etag !== null && isEtag(etag) ? { etag } : {}),
    ...(lastModified !== null && !Number.isNaN(Date.parse(lastModified)) ? { lastModified } : {}),
  }
}

/** RFC 9110, 8.8.3; what is longer is kept nowhere. */
function isEtag(text: string): boolean {
  return /^(?:W\/)?"[\x21\x23-\x7e]{0,250}"$/.test(text)
}

function parsed(text: string): Begun | undefined {
  try {
    const value = JSON.parse(text) as unknown
    if (isObject(value) && typeof value['url'] === 'string' && typeof value['validator'] === 'string') return value as unknown as Begun
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error // cut short by a kill: then it is begun anew
  }
  return undefined
}

function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
