import { contentOf } from '../content/content.ts'
import type { Extractor, Fact, WantedFile } from '../extractor.ts'
import type { Probe } from '../probe.ts'
import { beginsAsZip, directoryOf } from '../zip/directory.ts'
import { unpackWhole } from '../zip/unpack.ts'
import { application, factOf, metadata, mostApplicationBytes } from './erlang/application.ts'

const mostDirectoryBytes = 8 * 1024 * 1024
/** An archive holds one application, and seldom what that needs. */
const mostApplications = 1000
const mostUnpackedBytes = 64 * 1024 * 1024

/**
 * Archives that the Erlang machine loads code from as from a folder: `NAME-VERSION.ez`, plug-ins of RabbitMQ before 3.8 and
 * archives of mix. A script with an archive in it (`escript`) is named, and not opened. Erlang, code(3), "Loading of Code From Archive Files";
 * escript(1).
 */
export const erlangArchive = {
  name: 'erlang-archive',
  version: 1,
  maxBytes: 256 * 1024 * 1024,
  spools: true,
  wants: (path) => path.endsWith('.ez') && /(?:^|\/)[a-z]\w*-\d[^/]*\.ez$/.test(path),
  extract: (file) => factsIn(file),
  probe: ({ bytes }) => (isScriptWithArchive(bytes) ? namedProbe : undefined),
} satisfies Extractor

/** Throws ZipError for damage. */
function* factsIn({ bytes, spooled }: WantedFile): Generator<Fact> {
  const zip = spooled ?? contentOf(bytes)
  const directory = directoryOf(zip, mostDirectoryBytes)
  if (directory === undefined) throw new Error(beginsAsZip(zip) ? 'a zip that was cut short' : 'no zip')
  let applications = 0
  let left = mostUnpackedBytes
  for (const entry of directory.entries) {
    if (!application.test(entry.name) && !metadata.test(entry.name)) continue
    if (++applications > mostApplications) throw new Error(`holds more than the ${mostApplications} applications that are read`)
    const unpacked = unpackWhole(zip, entry, Math.min(left, mostApplicationBytes))
    left -= unpacked.length
    const fact = factOf(entry.name, unpacked)
    yield 'package' in fact ? { package: { ...fact.package, within: placeIn(entry.name) } } : fact
  }
}

/** Only to be shown, and to tell places apart. */
function placeIn(name: string): string {
  return name
    .slice(-1024)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?')
}

const localHeader = Buffer.from('PK\u0003\u0004')

function isScriptWithArchive(head: Buffer): boolean {
  if (head[0] !== 0x23 || head[1] !== 0x21) return false
  const line = head.subarray(0, Math.max(0, head.indexOf(0x0a)))
  return line.includes('escript') && head.includes(localHeader)
}

const namedProbe: Probe = {
  push: () => {},
  finish: () => ({ facts: [{ unsupported: { kind: 'Erlang script with an archive in it, which is not read', component: true } }] }),
}
