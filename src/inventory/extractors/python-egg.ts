import { contentOf } from '../content/content.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { beginsAsZip, directoryOf } from '../zip/directory.ts'
import type { ZipEntry } from '../zip/directory.ts'
import { unpackWhole } from '../zip/unpack.ts'
import { distributionOf } from './python/metadata.ts'

const mostDirectoryBytes = 16 * 1024 * 1024
const mostMetadataBytes = 16 * 1024 * 1024
const metadata = 'EGG-INFO/PKG-INFO'

/** An egg that was left zipped: Python imports from it as it is. setuptools, "The Internal Structure of Python Eggs". */
export const pythonEgg = {
  name: 'python-egg',
  version: 1,
  maxBytes: 1024 * 1024 * 1024,
  spools: true,
  wants: (path) => path.endsWith('.egg'),
  *extract({ bytes, spooled }): Generator<Fact> {
    const zip = spooled ?? contentOf(bytes)
    const directory = directoryOf(zip, mostDirectoryBytes)
    // Others call files so too: one that is no zip is no egg of Python's.
    if (directory === undefined && !beginsAsZip(zip)) return
    if (directory === undefined) throw new Error('a zip that was cut short')
    const entry = metadataIn(directory.entries)
    if (entry === undefined) return
    const found = distributionOf(unpackWhole(zip, entry, mostMetadataBytes))
    yield found === undefined ? { problem: 'no name or no version that can be read' } : { package: { ...found, within: metadata } }
  },
} satisfies Extractor

function metadataIn(entries: Iterable<ZipEntry>): ZipEntry | undefined {
  for (const entry of entries) if (entry.name === metadata) return entry
  return undefined
}
