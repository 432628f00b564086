import type { Package } from '../../model/package.ts'
import type { Extractor, Fact } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { linesOf } from '../text/lines.ts'
import { joinPath, normalisePath } from '../tar/paths.ts'
import { decodeName } from '../tar/text.ts'

const colon = 0x3a
const maxValueBytes = 16 * 1024

interface Stanza {
  line: number
  fields: Map<string, string>
  folder: string
  owned: string[]
}

/**
 * Alpine's database, at its old place and the one since `/usr` was merged: paragraphs of `X:value`, among them P name,
 * V version, o origin, A architecture, L licence, m maintainer, and F folder followed by R for each file in it.
 * apk-tools, doc/apk-v2 database format; wiki.alpinelinux.org/wiki/Apk_spec.
 */
export const apk = {
  name: 'apk',
  version: 1,
  maxBytes: 128 * 1024 * 1024,
  wants: (path) => path === 'lib/apk/db/installed' || path === 'usr/lib/apk/db/installed',
  *extract(file): Generator<Fact> {
    let stanza: Stanza | undefined
    for (const { number, start, end } of linesOf(file.bytes)) {
      if (end === start) {
        if (stanza !== undefined) yield factOf(stanza)
        stanza = undefined
        continue
      }
      stanza ??= { line: number, fields: new Map(), folder: '', owned: [] }
      if (file.bytes[start + 1] !== colon) yield { problem: `line ${number}: not of the form X:value` }
      else addField(stanza, file.bytes, start, Math.min(end, start + maxValueBytes))
    }
    if (stanza !== undefined) yield factOf(stanza)
  },
} satisfies Extractor

function addField(stanza: Stanza, bytes: Buffer, start: number, end: number): void {
  const value = () => decodeName(bytes.subarray(start + 2, end))
  switch (String.fromCharCode(bytes[start] ?? 0)) {
    case 'F':
      stanza.folder = normalisePath(value())
      break
    case 'R':
      stanza.owned.push(joinPath(stanza.folder, value()))
      break
    case 'P':
    case 'V':
    case 'o':
    case 'A':
    case 'L':
    case 'm':
      stanza.fields.set(String.fromCharCode(bytes[start] ?? 0), value())
  }
}

function factOf(stanza: Stanza): Fact {
  const found = packageOf(stanza)
  return found === undefined ? { problem: `line ${stanza.line}: a package without a name or version that can be read` } : { package: found }
}

function packageOf({ fields, owned }: Stanza): Package | undefined {
  const name = fields.get('P')
  const version = fields.get('V')
  if (!isIdentity(name) || !isIdentity(version)) return undefined
  const architecture = fields.get('A')
  const origin = fields.get('o')
  const licence = shortText(fields.get('L'))
  const maintainer = shortText(fields.get('m'))
  return {
    kind: 'apk',
    name,
    version,
    ...(isIdentity(architecture) && { architecture }),
    ...(isIdentity(origin) && { source: { name: origin, version } }),
    ...(licence !== undefined && { licence }),
    ...(maintainer !== undefined && { maintainer }),
    ...(owned.length > 0 && { ownedFiles: owned }),
  }
}
