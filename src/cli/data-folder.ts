import { stat } from 'node:fs/promises'
import { LazaretError } from '../kit/errors.ts'
import type { Settings } from '../kit/settings/settings.ts'

/** Whether somebody said which folder, rather than it being the one that happens to be below the working folder. */
export function isFolderNamed(settings: Settings): boolean {
  return settings.sources.get('data') !== 'default'
}

/**
 * Holds a command back from a data folder that is not meant, and from leaving files that its server can't read.
 * Throws USAGE where it isn't there and was not named, DENIED where another user's is opened by root.
 */
export async function requireDataFolder(settings: Settings): Promise<void> {
  const owner = await ownerOf(settings.data)
  if (owner === undefined && isFolderNamed(settings)) return
  if (owner === undefined) {
    throw new LazaretError(
      'USAGE',
      `no server is named, and there is no data folder ${settings.data}: set LAZARET_SERVER, use lazaret login, or set LAZARET_DATA`,
    )
  }
  if (process.getuid?.() === 0 && owner !== 0) {
    throw new LazaretError(
      'DENIED',
      `${settings.data} belongs to the user with the id ${owner}, who could not read what root writes there: run this as that user`,
    )
  }
}

async function ownerOf(folder: string): Promise<number | undefined> {
  try {
    return (await stat(folder)).uid
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
