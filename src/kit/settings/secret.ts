import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { messageOf } from '../errors.ts'
import { type Kind, Misfit, type Place, shown } from './kinds.ts'

const maxSecretBytes = 64 * 1024

/**
 * A password or token: the text itself, `{ file: PATH }` or `{ env: NAME }`. An error never repeats the text.
 * A file's last line end is left out, as secret mounts and `echo` write one.
 */
export const secret: Kind<string> = {
  schema: {
    anyOf: [
      { type: 'string' },
      { type: 'object', properties: { file: { type: 'string' } }, required: ['file'], additionalProperties: false },
      { type: 'object', properties: { env: { type: 'string' } }, required: ['env'], additionalProperties: false },
    ],
  },
  read(raw, place) {
    const value = typeof raw === 'string' ? raw : fromElsewhere(raw, place)
    if (value === '') throw new Misfit('text that is not empty')
    if (value.includes('\n') || value.includes('\0')) throw new Misfit('one line of text')
    return value
  },
  show: () => '********',
}

function fromElsewhere(raw: unknown, place: Place): string {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new Misfit(`text (in quotes), { file: PATH } or { env: NAME }, not a ${typeof raw}`)
  const entries = Object.entries(raw)
  const [key, where] = entries[0] ?? []
  if (entries.length !== 1 || typeof where !== 'string') throw new Misfit('text, { file: PATH } or { env: NAME }')
  if (key === 'file') return readSecretFile(isAbsolute(where) ? where : resolve(place.folder, where))
  if (key !== 'env') throw new Misfit(`text, { file: PATH } or { env: NAME }, not { ${shown(key)}: … }`)
  const value = place.env[where]
  if (value === undefined || value === '') throw new Misfit(`in the variable ${where}, which is not set`)
  return value
}

function readSecretFile(path: string): string {
  let descriptor: number | undefined
  try {
    descriptor = openSync(path, 'r')
    if (fstatSync(descriptor).isDirectory()) throw new Misfit(`in a file, and ${path} is a folder`)
    const bytes = Buffer.alloc(maxSecretBytes + 1)
    const length = readSync(descriptor, bytes, 0, bytes.length, null)
    if (length > maxSecretBytes) throw new Misfit(`in a file of at most ${maxSecretBytes} bytes, and ${path} is larger`)
    return bytes.toString('utf8', 0, length).replace(/\r?\n$/, '')
  } catch (error) {
    if (error instanceof Misfit) throw error
    throw new Misfit(`in a file that can be read: ${messageOf(error)}`, { cause: error })
  } finally {
    if (descriptor !== undefined) closeSync(descriptor)
  }
}
