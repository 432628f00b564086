import type { Package } from '../../model/package.ts'
import type { Extractor } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { ownedPaths } from '../text/owned.ts'
import { packagesIn } from '../text/stanza-packages.ts'
import type { Stanza } from '../text/stanzas.ts'

const database = /^(?:usr|var|opt)\/lib\/opkg\/(?:status|info\/([^/]+)\.list)$/
const fields = new Set(['package', 'version', 'architecture', 'status', 'maintainer', 'license', 'installed-time'])

/**
 * The database of opkg, in OpenWrt, Yocto and Entware: stanzas as dpkg's, and a list of owned files a package, whose lines
 * may have a size and mode after a tab. `Source` is a folder of the build there, and names no source package.
 * opkg, libopkg/pkg.c, `pkg_print_status`.
 */
export const opkg = {
  name: 'opkg',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => path.includes('/opkg/') && database.test(path),
  extract(file) {
    const list = database.exec(file.path)?.[1]
    return list === undefined
      ? packagesIn(file.bytes, { fields, isInstalled, packageOf })
      : [{ owns: { packageName: list, paths: listedPaths(file.bytes) } }]
  },
} satisfies Extractor

/** `install user installed`: what is wanted, flags, how it is. One that does not say is taken as installed. */
function isInstalled({ fields }: Stanza): boolean {
  const state = fields.get('status')?.split(/\s+/)[2]
  return state === undefined || state === 'installed' || state === 'unpacked'
}

function packageOf({ fields }: Stanza): Package | undefined {
  const name = fields.get('package')
  const version = fields.get('version')
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const architecture = fields.get('architecture')
  const licence = shortText(fields.get('license'))
  const maintainer = shortText(fields.get('maintainer'))
  const installed = fields.get('installed-time') ?? ''
  return {
    kind: 'opkg',
    name,
    version,
    ...(isIdentity(architecture) && { architecture }),
    ...(licence !== undefined && { licence }),
    ...(maintainer !== undefined && { maintainer }),
    ...(/^[1-9]\d{0,11}$/.test(installed) && { installedAt: new Date(Number(installed) * 1000).toISOString() }),
  }
}

function listedPaths(bytes: Buffer): string[] {
  return ownedPaths(bytes).map((path) => path.replace(/\t.*$/s, ''))
}
