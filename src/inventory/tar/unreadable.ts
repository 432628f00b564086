import { LazaretError } from '../../kit/errors.ts'
import { shownName } from './text.ts'

/** In: what was wrong, and the byte of the uncompressed tar where the entry or block starts. */
export function unreadable(what: string, offset: number, path?: string): LazaretError {
  const where = path === undefined || path === '' ? '' : `, entry ${shownName(path)}`
  return new LazaretError('UNREADABLE', `not a readable tar: ${what}, at byte ${offset}${where}`)
}
