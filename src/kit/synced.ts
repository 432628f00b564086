import { open } from 'node:fs/promises'

/** In: a file, or a folder for its entries. Out: when what it holds is on disk. */
export async function synced(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
