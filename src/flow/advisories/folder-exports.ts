// Exports out of a data folder, for who needs no server: nothing is changed there.
import { ensureDatabase } from '../../advisories/ensure.ts'
import { trustedKeyOf } from '../../advisories/signed/keys.ts'
import { writeSigned } from '../../advisories/signed/write.ts'
import { exportPair } from './export-key.ts'

/** In: the data folder, the file to be made. Out: the revision in it. Throws as `writeSigned`. */
export async function exportFolder(dataFolder: string, path: string): Promise<{ revision: string; sizeBytes: number }> {
  await ensureDatabase(dataFolder)
  const { revision, packed } = await writeSigned(dataFolder, path, await exportPair(dataFolder))
  return { revision, sizeBytes: packed.sizeBytes }
}

/** In: the data folder. Out: the public key as others trust it. */
export async function keyOfFolder(dataFolder: string): Promise<{ key: string; id: string }> {
  const { text, id } = trustedKeyOf((await exportPair(dataFolder)).publicKey)
  return { key: text, id }
}
