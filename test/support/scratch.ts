// Temp folders that are gone when the suite is.

import { mkdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.ts'

/**
 * In: the suite's stack and a word for the name. Out: the path of an empty folder, mode 0700.
 * Disposal unmounts what a container engine left mounted below it, then removes it.
 */
export async function scratch(stack: AsyncDisposableStack, word: string): Promise<string> {
  // Lower case: podman takes the path of a layout for a repository name.
  const folder = join(tmpdir(), `lazaret-test-${word}-${crypto.randomUUID().slice(0, 13)}`)
  await mkdir(folder, { mode: 0o700 })
  stack.defer(() => removeFolder(folder))
  return folder
}

async function removeFolder(folder: string): Promise<void> {
  for (const mount of await mountsBelow(folder)) await run('umount', ['--lazy', mount])
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
}

async function mountsBelow(folder: string): Promise<string[]> {
  const table = await readFile('/proc/self/mounts', 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const points = table.split('\n').map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
  return points.filter((point) => point.startsWith(`${folder}/`)).toSorted((a, b) => b.length - a.length)
}
