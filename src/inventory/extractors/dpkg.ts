import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { ownedPaths } from '../text/owned.ts'
import { packagesIn } from '../text/stanza-packages.ts'
import type { Stanza } from '../text/stanzas.ts'

const root = 'var/lib/dpkg/'
const infoList = /^var\/lib\/dpkg\/info\/([^/:]+)(?::([^/]+))?\.list$/
const statusPart = /^var\/lib\/dpkg\/status\.d\/[^/]+$/
const sumsPart = /^var\/lib\/dpkg\/status\.d\/([^/]+)\.md5sums$/
const fields = new Set(['package', 'version', 'architecture', 'source', 'status', 'maintainer'])

/**
 * Debian's database: `status`; `status.d/NAME` of distroless images, whose stanzas have no Status; and the lists of
 * owned files, `info/NAME.list`, `info/NAME:ARCH.list`, and `status.d/NAME.md5sums`.
 * deb-control(5), dpkg-query(1) "Package States".
 */
export const dpkg = {
  name: 'dpkg',
  version: 1,
  maxBytes: 128 * 1024 * 1024,
  wants: (path) => path.startsWith(root) && (path === `${root}status` || infoList.test(path) || statusPart.test(path)),
  extract(file) {
    const list = infoList.exec(file.path)
    if (list !== null) return owns(list[1] ?? '', list[2], ownedPaths(file.bytes))
    const part = sumsPart.exec(file.path)?.[1]
    if (part !== undefined) return owns(part, undefined, ownedPaths(file.bytes, md5Chars))
    return packagesIn(file.bytes, { fields, isInstalled, packageOf })
  },
} satisfies Extractor

/** A hash of 32 digits and two spaces before each path. */
const md5Chars = 34

function owns(packageName: string, architecture: string | undefined, paths: string[]): Fact[] {
  return [{ owns: { packageName, ...(architecture !== undefined && { architecture }), paths } }]
}

/**
 * `install ok installed`: what is wanted, whether it is well, how it is. One that waits for a trigger is unpacked and
 * configured. A stanza that does not say is taken as installed: leaving it out would clear it.
 */
function isInstalled(stanza: Stanza): boolean {
  const state = stanza.fields.get('status')?.split(/\s+/)[2]
  return state === undefined || state === 'installed' || state === 'triggers-pending' || state === 'triggers-awaited'
}

function packageOf({ fields }: Stanza): Package | undefined {
  const name = fields.get('package')
  const version = fields.get('version')
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const architecture = fields.get('architecture')
  const maintainer = shortText(fields.get('maintainer'))
  const source = sourceOf(fields.get('source'), version)
  return {
    kind: 'deb',
    name,
    version,
    ...(isIdentity(architecture) && { architecture }),
    ...(source !== undefined && { source }),
    ...(maintainer !== undefined && { maintainer }),
  }
}

/** `Source: name (version)`, without the version where it is the package's own; absent where the name is, too. */
function sourceOf(text: string | undefined, version: string): { name: string; version: string } | undefined {
  const match = /^(\S+)(?:\s+\((\S+)\))?/.exec(text ?? '')
  if (match === null || !isIdentity(match[1])) return undefined
  return { name: match[1], version: isIdentity(match[2]) ? match[2] : version }
}
