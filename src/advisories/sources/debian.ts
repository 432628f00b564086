import type { Advisory, AffectedPackage, DistributionWord, RangeEvent } from '../../model/advisory.ts'
import type { Fact, ReadContext } from '../form.ts'
import { dateOf, limits } from '../fields.ts'
import { clearedPackage, notAffected } from './cleared.ts'
import { listedEcosystem, debianName, debianVersion } from './debian-names.ts'

/**
 * Debian's lists of announced advisories (security-tracker `data/DSA/list` and `data/DLA/list`), as text:
 *
 *   [29 Mar 2023] DSA-5380-1 xorg-server - security update
 *   	{CVE-2023-1393}
 *   	[bullseye] - xorg-server 2:1.20.11-1+deb11u6
 *
 * Versions before the named one have the flaws. `<not-affected>` clears the release; `<unfixed>`, `<end-of-life>`,
 * `<no-dsa>`, `<postponed>` and `<ignored>` leave it affected without a fix, and the word is kept.
 */
export const debian = {
  name: 'debian',
  recognisesText: (head: string): boolean => entryStart.test(head),
  async *read(lines: AsyncIterable<string>, context: ReadContext): AsyncGenerator<Fact> {
    let entry: Entry | undefined
    for await (const line of lines) {
      const started = startOf(line)
      if (started !== undefined) {
        if (entry !== undefined) yield* factOf(entry, context)
        entry = started
      } else if (entry !== undefined) readLine(entry, line, context)
      else if (line.trim() !== '') context.drop('a line before any advisory', line.slice(0, 60))
    }
    if (entry !== undefined) yield* factOf(entry, context)
  },
}

interface Entry {
  id: string
  date: string
  flaws: string[]
  affected: AffectedPackage[]
}

const entryStart = /^\[(\d\d) ([A-Z][a-z]{2}) (\d{4})\] (D[SLT]A-\d{1,6}(?:-\d{1,4})?) /
const packageLine = /^\s*\[([a-z]{3,20})\] - (\S{1,128})\s+(<[a-z-]{1,40}>|\S{1,255})/

function startOf(line: string): Entry | undefined {
  const match = entryStart.exec(line)
  if (match === null) return undefined
  const [, day, month, year, id = ''] = match
  const number = 1 + 'JanFebMarAprMayJunJulAugSepOctNovDec'.indexOf(month ?? '') / 3
  return { id, date: `${year}-${String(number).padStart(2, '0')}-${day}`, flaws: [], affected: [] }
}

function readLine(entry: Entry, line: string, context: ReadContext): void {
  const text = line.trim()
  if (text === '' || text.startsWith('NOTE:') || text.startsWith('TODO:')) return
  if (text.startsWith('{')) {
    entry.flaws.push(...flawsOf(text))
    return
  }
  const match = packageLine.exec(line)
  if (match === null) return void context.drop('not a line of an advisory', `${entry.id}: ${text.slice(0, 60)}`)
  const [, codename = '', name = '', version = ''] = match
  const ecosystem = listedEcosystem(codename)
  if (ecosystem === undefined) return void context.drop('not a release', `${entry.id}: ${codename}`)
  if (!debianName.test(name)) return void context.drop('not a package name', `${entry.id}: ${name.slice(0, 60)}`)
  const events = eventsOf(version)
  if (entry.affected.length >= limits.affected) return void context.drop('too many packages', entry.id)
  if (events === notAffected) return void entry.affected.push(clearedPackage(ecosystem, name))
  if (typeof events === 'string') return void context.drop(events, `${entry.id} ${ecosystem} ${name}`)
  const word = words.get(version)
  entry.affected.push({ ecosystem, name, ranges: [{ type: 'ECOSYSTEM', events }], versions: [], ...(word === undefined ? {} : { word }) })
}

function flawsOf(text: string): string[] {
  return text
    .split(/[\s{}]+/)
    .filter((word) => /^CVE-\d{4}-\d{4,12}$/.test(word))
    .slice(0, limits.ids)
}

/** Without a fix; undefined: and without a word on it. */
const words: ReadonlyMap<string, DistributionWord | undefined> = new Map([
  ['<unfixed>', undefined],
  ['<end-of-life>', 'end-of-life'],
  ['<no-dsa>', 'no-advisory'],
  ['<postponed>', 'postponed'],
  ['<ignored>', 'will-not-fix'],
])

function eventsOf(version: string): RangeEvent[] | string {
  if (version === '<not-affected>') return notAffected
  if (words.has(version)) return [{ introduced: '0' }]
  if (!debianVersion.test(version)) return 'neither a version nor a known state'
  return [{ introduced: '0' }, { fixed: version }]
}

function* factOf(entry: Entry, context: ReadContext): Generator<Fact> {
  if (entry.affected.length === 0) return void context.drop('names no package of a release', entry.id)
  const date = dateOf(entry.date, context.now)
  const advisory: Advisory = {
    id: entry.id,
    aliases: [],
    upstream: [...new Set(entry.flaws)],
    ...(date === undefined ? {} : { published: date }),
    modified: date ?? context.asOf,
    severity: [],
    affected: entry.affected,
    malicious: false,
    source: 'debian',
  }
  yield { kind: 'advisory', advisory, merge: 'record' }
}
