import { messageOf } from '../../kit/errors.ts'
import { contentOf, piecesOf } from '../content/content.ts'
import type { Content } from '../content/content.ts'
import type { Extractor, Fact, WantedFile } from '../extractor.ts'
import { bdbValues, isBdb } from './rpm/bdb.ts'
import { Header } from './rpm/header.ts'
import { isNdb, ndbValues } from './rpm/ndb.ts'
import { PathBudget, packageOf, sourceOf, withEpoch } from './rpm/package.ts'
import type { RpmPackage } from './rpm/package.ts'
import { isSqlite, sqliteValues } from './rpm/sqlite.ts'

const database = /^(?:var\/lib|usr\/lib\/sysimage|usr\/share)\/rpm\/(?:Packages|Packages\.db|rpmdb\.sqlite(?:-wal|-journal)?)$/
/** Twenty times the largest distribution's whole archive of one release would not reach it. */
const maxPackages = 1_000_000
const maxPathChars = 256 * 1024 * 1024

/**
 * The database of rpm, in whichever of its three forms: Berkeley DB (`Packages`), its own (`Packages.db`), SQLite
 * (`rpmdb.sqlite`, with the log beside it). The form is told by the first bytes, not by the name. A large file is read where
 * it was laid down, a few pages and one header at a time.
 */
export const rpm = {
  name: 'rpm',
  version: 1,
  maxBytes: 1024 * 1024 * 1024,
  spools: true,
  wants: (path) => path.includes('/rpm/') && database.test(path),
  groupOf: (path) => (path.includes('/rpmdb.sqlite') ? path.replace(/-(?:wal|journal)$/, '') : undefined),
  *extract(file, beside): Generator<Fact> {
    if (file.path.endsWith('-wal') || file.path.endsWith('-journal')) {
      if (holdsAnything(contentOfFile(file))) yield { problem: 'holds changes to a database that this layer does not have' }
      return
    }
    const problems: string[] = []
    const found = packagesIn(file, beside ?? [], problems)
    const epochs = sourceEpochs(found)
    for (const one of found) yield { package: withSource(one, epochs) }
    for (const problem of problems) yield { problem }
  },
} satisfies Extractor

/** What can be read is read, and every header that can't be is a problem. */
function packagesIn(file: WantedFile, beside: readonly WantedFile[], problems: string[]): RpmPackage[] {
  const found: RpmPackage[] = []
  const budget = new PathBudget(maxPathChars)
  let number = 0
  try {
    for (const value of valuesOf(file, beside)) {
      if (++number > maxPackages) throw new RangeError(`it holds more than ${maxPackages} packages`)
      try {
        const pack = packageOf(new Header(value), budget)
        if (pack !== undefined) found.push(pack)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        problems.push(`package ${number}: ${messageOf(error)}`)
      }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    problems.push(messageOf(error))
  }
  return found
}

function valuesOf(file: WantedFile, beside: readonly WantedFile[]): Iterable<Buffer> {
  const content = contentOfFile(file)
  if (content.sizeBytes === 0) return []
  const head = content.read(0, Math.min(512, content.sizeBytes))
  if (isNdb(head)) return ndbValues(content)
  if (isBdb(head)) return bdbValues(content)
  if (!isSqlite(head)) throw new RangeError('is none of the databases that rpm keeps')
  const [log, journal] = ['-wal', '-journal'].map((suffix) => beside.find(({ path }) => path === `${file.path}${suffix}`))
  if (journal !== undefined && holdsAnything(contentOfFile(journal))) {
    throw new RangeError('a change to it was cut off, and is to be taken back by its journal')
  }
  return sqliteValues(content, log === undefined ? undefined : contentOfFile(log))
}

function contentOfFile({ bytes, spooled }: WantedFile): Content {
  return spooled ?? contentOf(bytes)
}

/** A log or journal that was used up is empty, or zeros. */
function holdsAnything(content: Content): boolean {
  for (const bytes of piecesOf(content)) if (bytes.some((byte) => byte !== 0)) return true
  return false
}

/**
 * A source package's file name has no epoch. Binary packages of its own version have it; one with a version of its own
 * (perl's modules) may have another. Out: source file name → epoch.
 */
function sourceEpochs(found: readonly RpmPackage[]): Map<string, number> {
  const epochs = new Map<string, number>()
  for (const { package: pack, epoch, sourceRpm } of found) {
    if (sourceRpm !== undefined && withEpoch(epoch, sourceOf(sourceRpm)?.version ?? '') === pack.version) epochs.set(sourceRpm, epoch)
  }
  return epochs
}

function withSource({ package: pack, epoch, sourceRpm }: RpmPackage, epochs: ReadonlyMap<string, number>): RpmPackage['package'] {
  const source = sourceRpm === undefined ? undefined : sourceOf(sourceRpm)
  if (sourceRpm === undefined || source === undefined) return pack
  return { ...pack, source: { name: source.name, version: withEpoch(epochs.get(sourceRpm) ?? epoch, source.version) } }
}
