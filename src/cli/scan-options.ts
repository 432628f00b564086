import { arch, homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import type { ScanOptions } from '../flow/scan.ts'
import { LazaretError } from '../kit/errors.ts'
import { loadSettings } from '../kit/settings/settings.ts'
import type { Platform } from '../model/manifest.ts'
import type { Io } from './command.ts'
import type { Login } from './login-store.ts'

/** Flags that `scan`, `sbom` and `diff` share. */
export const sharedOptions = {
  platform: { type: 'string' },
  'no-cache': { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
  quiet: { type: 'boolean', default: false },
} as const

export interface SharedValues {
  platform?: string | undefined
  'no-cache': boolean
  verbose: boolean
  quiet: boolean
}

/** What the three commands need to read an image: settings, cache, platform, and the credentials that Docker keeps. */
export function scanOptions(values: SharedValues, io: Io): ScanOptions {
  const settings = loadSettings({ env: io.env, cwd: io.cwd, listens: false })
  const { platform } = values
  const cacheFolder = cacheFolderOf(io)
  return {
    ...(platform !== undefined && { platformAsked: true }),
    platform: platform === undefined ? { os: 'linux', architecture: architectures[arch()] ?? arch() } : parsePlatform(platform),
    dataFolder: settings.data,
    cacheFolder,
    ...(!values['no-cache'] && { knownFolder: knownFolderIn(cacheFolder) }),
    say: speaker(values, io),
    offline: settings.offline,
    outgoing: async () => (await import('../kit/outgoing/outgoing.ts')).createOutgoing(settings, io.env),
    credentialsFor: (registry) => credentialsFor(registry, io),
  }
}

/** What `docker login` kept for a registry. */
export async function credentialsFor(registry: string, io: Io): Promise<Login | undefined> {
  const { keptLogin } = await import('./login-store.ts')
  return await keptLogin(`https://${registry === 'docker.io' ? 'index.docker.io' : registry}`, io.env)
}

/** XDG base directory specification, `XDG_CACHE_HOME`: one that is not absolute counts as unset. */
export function cacheFolderOf(io: Io): string {
  const named = io.env['XDG_CACHE_HOME'] ?? ''
  return join(isAbsolute(named) ? named : join(io.env['HOME'] ?? homedir(), '.cache'), 'lazaret')
}

/** Where what is known of layers is kept. */
export function knownFolderIn(cacheFolder: string): string {
  return join(cacheFolder, 'layers')
}

/** Each trouble is said once, however many images a command reads. */
function speaker({ verbose, quiet }: SharedValues, io: Io): ScanOptions['say'] {
  const troubles = new Set<string>()
  const bar = io.errColumns === undefined ? '' : '\r\u001B[K'
  return (text, trouble) => {
    const isWanted = verbose || (trouble && !quiet)
    if (!isWanted || troubles.has(text)) return
    if (trouble) troubles.add(text)
    io.err(`${bar}lazaret: ${text}\n`)
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
