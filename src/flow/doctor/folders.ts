import { readdirSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { roomOf } from '../../kit/disk-room.ts'
import { messageOf } from '../../kit/errors.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import { fine, note, warning, wrong, type Diagnosis } from './diagnosis.ts'

/** Whose files these are, and who looks. Windows has none. */
export interface Whose {
  uid: number | undefined
}

/** In: a folder that only its owner may enter. Out: what is wrong with it, else that it is fine. */
export function lookAtFolder(check: string, path: string, { uid }: Whose): Diagnosis {
  let about: Stats | undefined
  try {
    about = statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    return wrong(check, `${path} can't be reached: ${messageOf(error)}`, 'let the user that serves enter the folders above it')
  }
  if (about === undefined) return note(check, `${path} is not there: the first start makes it`)
  if (!about.isDirectory()) return wrong(check, `${path} is no folder`, `move it away, or name another folder`)
  if (uid !== undefined && about.uid !== uid) return foreign(check, path, about.uid, uid)
  const mode = about.mode & 0o777
  if ((mode & 0o700) !== 0o700) return wrong(check, `${path} has the mode ${octal(mode)}: its owner can't use it`, `chmod 700 ${path}`)
  if ((mode & 0o077) !== 0)
    return wrong(check, `${path} has the mode ${octal(mode)}: others on this machine can get in`, `chmod 700 ${path}`)
  return fine(check, `${path}, mode ${octal(mode)}`)
}

function foreign(check: string, path: string, owner: number, uid: number): Diagnosis {
  const says = `${path} belongs to the user with the id ${owner}, and this is ${uid}`
  return uid === 0 ? note(check, says) : wrong(check, says, `run this and the server as that user, or chown -R ${uid} ${path}`)
}

/** Keys and the first password: whoever reads a key can make tokens. */
export function lookAtSecrets(dataFolder: string): Diagnosis | undefined {
  const open = secretsIn(dataFolder).filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0)
  if (open.length === 0) return undefined
  return wrong('secrets', `others on this machine can read ${open.join(', ')}`, `chmod 600 ${open.join(' ')}`)
}

function secretsIn(dataFolder: string): string[] {
  const keys = join(dataFolder, 'keys')
  const names = statSync(keys, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(keys) : []
  return [...names.map((name) => join(keys, name)), join(dataFolder, 'admin-password')]
}

export async function lookAtRoom({ data, blobs, disk }: Pick<Settings, 'data' | 'blobs' | 'disk'>): Promise<Diagnosis[]> {
  const found = new Map<string, Diagnosis>()
  for (const folder of [data, blobs]) {
    if (statSync(folder, { throwIfNoEntry: false }) === undefined) continue
    const { freeBytes, totalBytes, lowWaterBytes } = await roomOf(folder, disk.lowWaterBytes)
    const says = `${gibibytes(freeBytes)} of ${gibibytes(totalBytes)} are free below ${folder}`
    const remedy = 'make room: lazaret gc, a larger volume, or less beside it'
    const key = `${freeBytes} ${totalBytes}` // both on one volume
    if (freeBytes < lowWaterBytes) found.set(key, wrong('disk', `${says}: pushes are refused below ${gibibytes(lowWaterBytes)}`, remedy))
    else if (freeBytes < 2 * lowWaterBytes)
      found.set(key, warning('disk', `${says}; pushes are refused below ${gibibytes(lowWaterBytes)}`, remedy))
    else if (!found.has(key)) found.set(key, fine('disk', says))
  }
  return [...found.values()]
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}

function octal(mode: number): string {
  return `0${mode.toString(8).padStart(3, '0')}`
}
