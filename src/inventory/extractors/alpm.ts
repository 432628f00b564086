import type { Package } from '../../model/package.ts'
import type { Extractor, Fact, WantedFile } from '../extractor.ts'
import { isIdentity, shortText } from '../text/identity.ts'
import { linesOf } from '../text/lines.ts'
import { ownedPaths } from '../text/owned.ts'

const database = /^var\/lib\/pacman\/local\/([^/]+)\/(?:desc|files)$/
const wanted: ReadonlySet<string> = new Set(['NAME', 'VERSION', 'BASE', 'ARCH', 'LICENSE', 'PACKAGER', 'INSTALLDATE'])
const maxValues = 100
const maxLineBytes = 4096

/**
 * pacman's database of what is installed: a folder a package, `desc` with its facts and `files` with what it owns.
 * libalpm, be_local.c: a line `%NAME%`, its values one a line, and an empty line.
 */
export const alpm = {
  name: 'alpm',
  version: 1,
  maxBytes: 64 * 1024 * 1024,
  wants: (path) => path.startsWith('var/lib/pacman/local/') && database.test(path),
  *extract(file): Generator<Fact> {
    if (file.path.endsWith('/files')) yield ownership(file)
    else yield packageFact(file)
  },
} satisfies Extractor

function packageFact({ bytes }: WantedFile): Fact {
  const fields = fieldsOf(bytes)
  const one = (name: string): string | undefined => fields.get(name)?.[0]
  const name = one('NAME')
  const version = one('VERSION')
  if (!isIdentity(name) || !isIdentity(version)) return { problem: 'a package without a name or version that can be read' }
  const base = one('BASE')
  const architecture = one('ARCH')
  const licence = shortText(fields.get('LICENSE')?.join(' AND '))
  const maintainer = shortText(one('PACKAGER'))
  const pack: Package = {
    kind: 'alpm',
    name,
    version,
    ...(isIdentity(architecture) && { architecture }),
    ...(isIdentity(base) && { source: { name: base, version } }),
    ...(licence !== undefined && { licence }),
    ...(maintainer !== undefined && { maintainer }),
    ...installedAt(one('INSTALLDATE')),
  }
  return { package: pack }
}

/** Twelve digits are past the year 30,000. */
function installedAt(seconds: string | undefined): { installedAt?: string } {
  return /^[1-9]\d{0,11}$/.test(seconds ?? '') ? { installedAt: new Date(Number(seconds) * 1000).toISOString() } : {}
}

/** Whose files these are, the `desc` beside them says. */
function ownership({ path, bytes }: WantedFile): Fact {
  const start = bytes.indexOf('%FILES%\n')
  const end = start < 0 ? 0 : bytes.indexOf('\n%', start + 1)
  const list = start < 0 ? Buffer.alloc(0) : bytes.subarray(start + '%FILES%\n'.length, end < 0 ? undefined : end)
  return { owns: { packageName: database.exec(path)?.[1] ?? '', paths: ownedPaths(list) } }
}

function fieldsOf(bytes: Buffer): Map<string, string[]> {
  const fields = new Map<string, string[]>()
  let values: string[] | undefined
  for (const { start, end } of linesOf(bytes)) {
    const line = bytes.toString('utf8', start, Math.min(end, start + maxLineBytes)).trim()
    const name = /^%([A-Z]+)%$/.exec(line)?.[1]
    if (line === '') values = undefined
    else if (name !== undefined) values = wanted.has(name) && !fields.has(name) ? [] : undefined
    else if (values !== undefined && values.length < maxValues) values.push(line)
    if (name !== undefined && values !== undefined) fields.set(name, values)
  }
  return fields
}
