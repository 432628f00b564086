// A real Debian root file system, made once by debootstrap and kept outside the checkout.

import { access, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { mustBytes, must } from './run.ts'

/**
 * Needs a Debian mirror, debootstrap's own default, the first time. Out: the tar of a minimal Debian 12.
 * Two suites that start at once each make their own, and the last rename wins.
 */
export async function debianRootfs(): Promise<Buffer> {
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'lazaret-tools', 'rootfs')
  const folder = join(cache, 'bookworm-minbase')
  if (!(await exists(folder))) await bootstrap(cache, folder)
  return mustBytes(
    'tar',
    [
      '--create',
      '--sort=name',
      '--mtime=2026-01-01 00:00Z',
      '--numeric-owner',
      '--directory',
      folder,
      '--exclude=./dev/*',
      '--exclude=./proc/*',
      '--exclude=./sys/*',
      '.',
    ],
    { timeoutMs: 300_000, limitBytes: 1024 ** 3 },
  )
}

async function bootstrap(cache: string, folder: string): Promise<void> {
  await mkdir(cache, { recursive: true })
  const draft = `${folder}.${process.pid}`
  await must('debootstrap', ['--variant=minbase', 'bookworm', draft], { timeoutMs: 600_000 })
  await rm(join(draft, 'var', 'cache', 'apt', 'archives'), { recursive: true, force: true })
  await rename(draft, folder).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    await rm(draft, { recursive: true, force: true })
  })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
