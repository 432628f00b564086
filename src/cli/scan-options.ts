import { arch, homedir } from 'node:os'
import { join } from 'node:path'
import type { ScanOptions } from '../flow/scan.ts'
import { LazaretError } from '../kit/errors.ts'
import { createOutgoing } from '../kit/outgoing/outgoing.ts'
import { loadSettings } from '../kit/settings/settings.ts'
import type { Platform } from '../model/manifest.ts'
import type { Io } from './command.ts'
import { keptLogin } from './login-store.ts'

/** What `scan` and `sbom` share: settings, cache, platform, and the credentials that Docker keeps. */
export function scanOptions(platform: string | undefined, io: Io): ScanOptions {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  return {
    ...(platform !== undefined && { platformAsked: true }),
    platform: platform === undefined ? { os: 'linux', architecture: architectures[arch()] ?? arch() } : parsePlatform(platform),
    dataFolder: settings.data,
    cacheFolder: join(io.env['XDG_CACHE_HOME'] ?? join(io.env['HOME'] ?? homedir(), '.cache'), 'lazaret'),
    offline: settings.offline,
    outgoing: () => createOutgoing(settings, io.env),
    credentialsFor: async (registry) => keptLogin(`https://${registry === 'docker.io' ? 'index.docker.io' : registry}`, io.env),
  }
}

/** Go's names for what Node calls otherwise. */
const architectures: Partial<Record<string, string>> = { x64: 'amd64', ia32: '386' }

function parsePlatform(text: string): Platform {
  const [os, architecture, variant, extra] = text.split('/')
  if (os === undefined || os === '' || architecture === undefined || architecture === '' || extra !== undefined) {
    throw new LazaretError('USAGE', `--platform is OS/ARCHITECTURE[/VARIANT], not ${text.slice(0, 60)}`)
  }
  return { os, architecture, ...(variant === undefined ? {} : { variant }) }
}
