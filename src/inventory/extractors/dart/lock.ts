import { linesOf } from '../../text/lines.ts'
import { isIdentity } from '../../text/identity.ts'
import type { Fact } from '../../extractor.ts'

const maxLineBytes = 4096
const packageLine = /^ {2}(?:"([^"]{1,256})"|([^\s:"]{1,256})):$/
const fieldLine = /^ {4}(dependency|source|version): (?:"([^"]*)"|(\S.*))$/

interface Locked {
  name: string
  dependency?: string
  source?: string
  version?: string
}

/**
 * In: a `pubspec.lock`, as pub writes it: a package two blanks in, its facts four. Out: those from a registry or from git, with
 * what the program itself asked for; what an SDK brings, and what is the program's own (`path`), is left out. A file of another
 * form is a problem. dart-lang/pub, lib/src/lock_file.dart.
 */
export function* lockedPackages(bytes: Buffer, mostPackages: number): Generator<Fact> {
  let locked: Locked | undefined
  let inPackages = false
  let isKnown = false
  let count = 0
  for (const { start, end } of linesOf(bytes)) {
    const line = bytes.toString('utf8', start, Math.min(end, start + maxLineBytes))
    if (/^\S/.test(line) && !line.startsWith('#')) {
      inPackages = line === 'packages:' || line === 'packages: {}'
      isKnown ||= inPackages || line === 'sdks:'
    }
    const [, quoted, plain] = (inPackages && packageLine.exec(line)) || []
    const name = quoted ?? plain
    if (name !== undefined) {
      if (++count > mostPackages) throw new Error(`lists more than the ${mostPackages} packages that are read`)
      if (locked !== undefined) yield* factsOf(locked)
      locked = { name }
    } else if (inPackages && locked !== undefined) addField(locked, line)
  }
  if (locked !== undefined) yield* factsOf(locked)
  if (!isKnown && bytes.length > 0) yield { problem: 'no lock of pub: it has no `packages`' }
}

function addField(locked: Locked, line: string): void {
  const [, key, quoted, plain] = fieldLine.exec(line) ?? []
  if (key === 'dependency' || key === 'source' || key === 'version') locked[key] ??= quoted ?? plain ?? ''
}

function* factsOf({ name, dependency = '', source, version }: Locked): Generator<Fact> {
  if (source !== 'hosted' && source !== 'git') return
  if (!isIdentity(name) || !isIdentity(version)) {
    yield { problem: `${JSON.stringify(name.slice(0, 100))} has no name or no version that can be read` }
    return
  }
  yield {
    package: {
      kind: 'pub',
      name,
      version,
      ...(dependency.startsWith('direct') && { direct: true as const }),
      ...(dependency === 'direct dev' && { dev: true as const }),
    },
  }
}
