import { compareDpkg } from '../../versions/dpkg.ts'
import { dateOf, hintText, isObject, limits, own } from '../fields.ts'
import type { Fact, Form, ReadContext } from '../form.ts'
import { listedEcosystem, debianName, debianVersion } from './debian-names.ts'

/**
 * What Debian changelogs say they cured, one line per changelog entry:
 *
 *   {"source": "zlib", "version": "1:1.2.13.dfsg-1", "dist": "bookworm", "date": "…", "cves": ["CVE-2022-37434"], "release": "bookworm"}
 *
 * The entries of one changelog are the history of one release's package, whichever suite each was uploaded to; `release`
 * says which (bookworm where it is missing). The first version that names a flaw is taken as its cure: later entries
 * sum up what security uploads brought before.
 */
export const debianChangelog = {
  name: 'debian',
  recognises: (first) => isObject(first) && 'source' in first && 'version' in first && 'cves' in first,
  async *read(values: AsyncIterable<unknown>, context: ReadContext): AsyncGenerator<Fact> {
    const cures = new Map<string, Cure>()
    for await (const value of values) {
      for (const cure of curesOf(value, context)) keepFirst(cures, cure, context)
    }
    for (const cure of cures.values()) yield factOf(cure, context)
  },
} satisfies Form

interface Cure {
  ecosystem: string
  source: string
  cve: string
  version: string
  date?: string
}

const mostCures = 1_000_000

function curesOf(value: unknown, context: ReadContext): Cure[] {
  const line = isObject(value) ? value : {}
  const source = own(line, 'source')
  const version = own(line, 'version')
  const cves = own(line, 'cves')
  const ecosystem = listedEcosystem(hintText(own(line, 'release') ?? 'bookworm'))
  if (
    typeof source !== 'string' ||
    typeof version !== 'string' ||
    !debianName.test(source) ||
    !debianVersion.test(version) ||
    ecosystem === undefined
  ) {
    context.drop('no source package and version', `${hintText(source)} ${hintText(version)}`)
    return []
  }
  if (!Array.isArray(cves) || cves.length > limits.ids) {
    context.drop('no list of CVEs', `${source} ${version}`)
    return []
  }
  const date = dateOf(isoOf(own(line, 'date')), context.now)
  return cves.flatMap((cve) => {
    if (typeof cve === 'string' && /^CVE-\d{4}-\d{4,12}$/.test(cve))
      return [{ ecosystem, source, cve, version, ...(date === undefined ? {} : { date }) }]
    context.drop('not a CVE id', `${source} ${version}`)
    return []
  })
}

/** Changelog dates are those of RFC 5322. */
function isoOf(date: unknown): string | undefined {
  const time = typeof date === 'string' && date.length < 64 ? Date.parse(date) : Number.NaN
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}

function keepFirst(cures: Map<string, Cure>, cure: Cure, context: ReadContext): void {
  const key = `${cure.ecosystem} ${cure.source} ${cure.cve}`
  const known = cures.get(key)
  if (known === undefined && cures.size >= mostCures) return void context.drop('too many', key)
  if (known === undefined || compareDpkg(cure.version, known.version) === -1) cures.set(key, cure)
}

function factOf(cure: Cure, context: ReadContext): Fact {
  return {
    kind: 'advisory',
    merge: 'package',
    advisory: {
      id: `DEBIAN-${cure.cve}`,
      aliases: [],
      upstream: [cure.cve],
      ...(cure.date === undefined ? {} : { published: cure.date }),
      modified: context.asOf,
      severity: [],
      affected: [
        {
          ecosystem: cure.ecosystem,
          name: cure.source,
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: cure.version }] }],
          versions: [],
        },
      ],
      malicious: false,
      source: 'debian',
    },
  }
}
