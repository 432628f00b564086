import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Files } from './layers.ts'
import { openPodman, type Podman } from './podman.ts'
import type { Outcome } from './run.ts'
import { scratch } from './scratch.ts'

export interface Buildah extends Podman {
  /** A working container from nothing, files copied in one by one, committed under a name. Out: the last outcome. */
  build: (files: Files, name: string) => Promise<Outcome>
}

/** In: the suite's stack. Out: buildah with a store of its own. */
export async function openBuildah(stack: AsyncDisposableStack): Promise<Buildah> {
  const client = await openPodman(stack, 'buildah')
  const folder = await scratch(stack, 'buildah-files')
  const build = async (files: Files, name: string): Promise<Outcome> => {
    const container = (await client.podman(['from', 'scratch'])).stdout.trim()
    for (const [at, [path, body]] of Object.entries(files).entries()) {
      const file = join(folder, String(at))
      await writeFile(file, body ?? '')
      const copied = await client.podman(['copy', container, file, `/${path}`])
      if (copied.code !== 0) return copied
    }
    return client.podman(['commit', '--rm', container, name])
  }
  return { ...client, build }
}
