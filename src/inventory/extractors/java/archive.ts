import { createHash } from 'node:crypto'
import type { Fact } from '../../extractor.ts'
import type { Content } from '../../content/content.ts'
import { piecesOf } from '../../content/content.ts'
import { ZipError } from '../../zip/directory.ts'
import type { ZipEntry } from '../../zip/directory.ts'
import { unpack } from '../../zip/unpack.ts'
import { identify, shown } from './identity.ts'
import { Cost, LimitError } from './limits.ts'
import { surveyOf } from './survey.ts'

/** An archive, in none, one or several others. */
interface Archive {
  content: Content
  /** Its last part names it. */
  path: string
  /** `BOOT-INF/lib/a.jar!/lib/b.jar`; absent for the file itself. */
  within?: string
  depth: number
}

/**
 * In: a file that its name calls an archive of Java, and its path. Out: what it and all that is nested in it hold. A file
 * that Java would not open as an archive says nothing. Past a limit it is given up, with a problem that names where.
 */
export async function* factsOfArchive(content: Content, path: string): AsyncGenerator<Fact> {
  yield* factsOf({ content, path, depth: 0 }, new Cost(content.sizeBytes))
}

async function* factsOf(archive: Archive, cost: Cost): AsyncGenerator<Fact> {
  try {
    cost.archive(archive.depth)
    const survey = surveyOf(archive.content, cost)
    if (survey === undefined) return
    yield* ownFacts(archive, survey, cost)
    for (const entry of survey.nested) yield* nestedFacts(archive, entry, cost)
  } catch (error) {
    if (!(error instanceof ZipError)) throw error
    yield problemAt(archive.within, error)
    if (error instanceof LimitError) cost.spend()
  }
}

function* ownFacts(archive: Archive, survey: NonNullable<ReturnType<typeof surveyOf>>, cost: Cost): Generator<Fact> {
  const within = archive.within === undefined ? {} : { within: archive.within }
  const { packages, unknown, unknownSelf, problems } = identify(archive.content, survey, baseName(archive.path), cost)
  for (const found of packages) yield { package: { ...found, ...within } }
  for (const name of unknown) yield { unsupported: { kind: 'java', component: true, name, ...within } }
  if (unknownSelf !== undefined)
    yield { unsupported: { kind: 'java', component: true, name: unknownSelf, ...within, sha1: sha1Of(archive.content, cost) } }
  for (const problem of problems) yield problemAt(archive.within, new Error(problem))
}

async function* nestedFacts(outer: Archive, entry: ZipEntry, cost: Cost): AsyncGenerator<Fact> {
  if (cost.isSpent) return
  const within = joinWithin(outer.within, entry.name)
  let opened: Awaited<ReturnType<typeof unpack>>
  try {
    cost.archive(outer.depth + 1)
    opened = await unpack(outer.content, entry, (count) => cost.unpacked(count))
  } catch (error) {
    if (!(error instanceof ZipError)) throw error
    if (error instanceof LimitError) cost.spend()
    yield problemAt(within, error)
    return
  }
  try {
    yield* factsOf({ content: opened.content, path: entry.name, within, depth: outer.depth + 1 }, cost)
  } finally {
    opened.close()
  }
}

const mostWithinChars = 2048

/** Only to be shown and to tell places apart. */
function joinWithin(outer: string | undefined, name: string): string {
  return [...(outer === undefined ? [] : [outer]), shown(name)].join('!/').slice(-mostWithinChars)
}

function problemAt(within: string | undefined, error: Error): Fact {
  return { problem: within === undefined ? error.message : `${within} ${error.message}` }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Counted, as many entries may lead to the same bytes. */
function sha1Of(content: Content, cost: Cost): string {
  const hash = createHash('sha1')
  for (const piece of piecesOf(content)) {
    cost.unpacked(piece.length)
    hash.update(piece)
  }
  return hash.digest('hex')
}
