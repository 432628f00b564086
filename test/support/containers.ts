// skopeo, podman and buildah share one library for storage and credentials: containers/storage, containers/image.

import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Outcome, type RunOptions, run } from './run.ts'
import { scratch } from './scratch.ts'

/** A registry by TLS, and the file of the authority that its certificate is by. */
export interface Trusted {
  host: string
  authority: string
}

export interface ContainersHome {
  folder: string
  authFile: string
  /** What makes any program of the three live in this home. */
  env: Record<string, string>
  /** Trusts an authority for one host (containers-certs.d(5)). */
  trust: (trusted: Trusted) => Promise<void>
  /** Runs one of the three in this home. */
  run: (program: 'podman' | 'buildah' | 'skopeo', args: readonly string[], options?: RunOptions) => Promise<Outcome>
}

/**
 * In: the suite's stack. Out: a home with its own image store, credentials, policy and registry settings.
 * The driver is overlay where it works as root, and vfs where not: podman says so when asked.
 */
export async function containersHome(stack: AsyncDisposableStack, word = 'containers'): Promise<ContainersHome> {
  const folder = await scratch(stack, word)
  const authFile = join(folder, 'auth.json')
  await writeFile(authFile, '{}')
  const env = await settings(folder, authFile, 'overlay')
  const works = await run('podman', ['info'], { env })
  if (works.code !== 0) await settings(folder, authFile, 'vfs')
  return {
    folder,
    authFile,
    env,
    trust: async ({ host, authority }) => {
      const certificates = join(folder, 'home', '.config', 'containers', 'certs.d', host)
      await mkdir(certificates, { recursive: true })
      await copyFile(authority, join(certificates, 'ca.crt'))
    },
    run: (program, args, options = {}) => run(program, args, { ...options, env: { ...env, ...options.env } }),
  }
}

async function settings(folder: string, authFile: string, driver: string): Promise<Record<string, string>> {
  const paths = {
    storage: join(folder, 'storage.conf'),
    registries: join(folder, 'registries.conf'),
    containers: join(folder, 'containers.conf'),
  }
  const home = join(folder, 'home')
  await mkdir(join(home, '.config', 'containers'), { recursive: true })
  await mkdir(join(folder, 'runtime'), { recursive: true, mode: 0o700 })
  await writeFile(
    paths.storage,
    `[storage]\ndriver = "${driver}"\ngraphroot = "${join(folder, 'root')}"\nrunroot = "${join(folder, 'run')}"\n`,
  )
  await writeFile(paths.registries, 'unqualified-search-registries = []\n')
  await writeFile(paths.containers, `[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "${join(folder, 'tmp')}"\n`)
  await writeFile(join(home, '.config', 'containers', 'policy.json'), JSON.stringify({ default: [{ type: 'insecureAcceptAnything' }] }))
  return {
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_RUNTIME_DIR: join(folder, 'runtime'),
    CONTAINERS_STORAGE_CONF: paths.storage,
    CONTAINERS_REGISTRIES_CONF: paths.registries,
    CONTAINERS_CONF: paths.containers,
    REGISTRY_AUTH_FILE: authFile,
  }
}
