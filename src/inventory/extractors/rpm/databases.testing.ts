// For tests only: real databases, and what rpm itself says of them.
import { readFileSync } from 'node:fs'
import { zstdDecompressSync } from 'node:zlib'
import type { Package } from '../../../model/package.ts'

const folder = new URL('fixtures/', import.meta.url)

export function fixture(name: string): Buffer {
  return zstdDecompressSync(readFileSync(new URL(`${name}.zst`, folder)))
}

/** What `rpm -qa` said, as our packages; public keys, which are none, left out. Sources are told by their name alone. */
export function listed(name: string): Package[] {
  const lines = readFileSync(new URL(`${name}.tsv`, folder), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => packageOf(line.split('\t'))).filter(({ name: of }) => of !== 'gpg-pubkey')
}

function packageOf([name = '', epoch, version, release, arch, source, vendor, module, licence, installed]: string[]): Package {
  const present = (key: string, value: string | undefined) => (value === '(none)' || value === '-' ? {} : { [key]: value })
  return {
    kind: 'rpm',
    name,
    version: `${epoch === '0' ? '' : `${epoch}:`}${version}-${release}`,
    ...present('architecture', arch),
    ...present('licence', licence),
    ...present('vendor', vendor),
    ...present('modularity', module),
    ...present('installedAt', installed === '-' ? '-' : new Date(Number(installed) * 1000).toISOString()),
    ...present('sourceFile', source),
  }
}

/** In: packages as the extractor gives them. Out: in the form of `listed`, in its order. */
export function comparable(packages: readonly Package[], withoutTime = false): Package[] {
  return packages
    .map(({ ownedFiles: _, source, installedAt, ...rest }) => ({
      ...rest,
      ...(installedAt !== undefined && !withoutTime && { installedAt }),
      ...(source !== undefined && { sourceFile: `${source.name}-${source.version.replace(/^\d+:/, '')}.src.rpm` }),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
