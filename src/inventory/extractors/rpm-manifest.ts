import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { linesOf } from '../text/lines.ts'
import { sourceOf, withEpoch } from './rpm/package.ts'

const path = 'var/lib/rpmmanifest/container-manifest-2'
const maxLineBytes = 8192

/**
 * What Microsoft's distroless images have in the place of a database: a line a package, as `rpm -qa` printed it when the
 * image was made: name, version-release, install time, build time, vendor, epoch, size, architecture, epoch as a number,
 * source. They say nothing of files.
 */
export const rpmManifest = {
  name: 'rpm-manifest',
  version: 1,
  maxBytes: 16 * 1024 * 1024,
  wants: (wanted) => wanted === path,
  *extract({ bytes }): Generator<Fact> {
    for (const { number, start, end } of linesOf(bytes)) {
      const line = bytes.toString('utf8', start, Math.min(end, start + maxLineBytes))
      if (line === '' || line.startsWith('gpg-pubkey\t')) continue
      const found = packageOf(line.split('\t'))
      yield found === undefined ? { problem: `line ${number}: not a package as rpm -qa prints it` } : { package: found }
    }
  },
} satisfies Extractor

function packageOf(columns: string[]): Package | undefined {
  const [name, version, installed = '', , vendor, , , architecture, epoch = '', sourceRpm = ''] = columns
  if (columns.length !== 10 || !isIdentity(name) || !isIdentity(version) || !/^\d{1,10}$/.test(epoch)) return undefined
  const source = sourceOf(sourceRpm)
  const builder = vendor === '(none)' ? undefined : shortText(vendor)
  return {
    kind: 'rpm',
    name,
    version: withEpoch(Number(epoch), version),
    ...(isIdentity(architecture) && architecture !== '(none)' && { architecture }),
    ...(source !== undefined && { source: { name: source.name, version: withEpoch(Number(epoch), source.version) } }),
    ...(builder !== undefined && { vendor: builder }),
    ...(/^[1-9]\d{0,11}$/.test(installed) && { installedAt: new Date(Number(installed) * 1000).toISOString() }),
  }
}
