import { LazaretError } from './errors.ts'

/** SQLite "Result and Error Codes": FULL, and what a volume without room gives where the WAL's index grows. */
const sqliteFull = 13
const sqliteShmSize = 4874
/** PostgreSQL "Error Codes": disk_full. */
const postgresFull = '53100'
const deepest = 5

/** In: anything thrown. Out: the error for whoever asked, where a full disk is behind it; else undefined. */
export function asNoRoom(error: unknown): LazaretError | undefined {
  if (!isNoRoom(error, 0)) return undefined
  return new LazaretError('UNAVAILABLE', 'the disk is full: nothing of this was stored, try again when there is room', {
    status: 507,
    cause: error,
  })
}

function isNoRoom(error: unknown, depth: number): boolean {
  if (depth > deepest || typeof error !== 'object' || error === null) return false
  const { code, errcode, cause, errors } = error as { code?: unknown; errcode?: unknown; cause?: unknown; errors?: unknown }
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === postgresFull) return true
  if (typeof errcode === 'number' && ((errcode & 0xff) === sqliteFull || errcode === sqliteShmSize)) return true
  return isNoRoom(cause, depth + 1) || (Array.isArray(errors) && errors.some((one) => isNoRoom(one, depth + 1)))
}
