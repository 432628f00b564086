// Records in OSV form, as far as the databases of other scanners are made of them. ossf.github.io/osv-schema

export interface OsvRecord {
  id: string
  modified: string
  withdrawn?: string
  aliases?: string[]
  affected?: {
    package?: { ecosystem: string; name: string }
    versions?: string[]
    ranges?: { type: string; events: Record<string, string>[] }[]
  }[]
}

interface Affected {
  /** Without its suffix. */
  ecosystem: string
  name: string
  /** Each a constraint of its own: `>=1.0,<1.2`, `=1.3`. Never empty. */
  spans: string[]
}

/** In: a record. Out: what it says of each package; where there is no range but Git's, the versions that it lists. */
export function* affectedBy({ affected = [] }: OsvRecord): Generator<Affected> {
  for (const { package: its, ranges = [], versions = [] } of affected) {
    if (its === undefined) continue
    const ecosystem = its.ecosystem.split(':')[0] ?? ''
    const ordered = ranges.filter((range) => range.type !== 'GIT').flatMap(({ events }) => spansOf(events))
    const spans = ordered.length > 0 ? ordered : versions.map((version) => `=${version}`)
    const name = ecosystem === 'PyPI' ? its.name.toLowerCase().replaceAll(/[-_.]+/g, '-') : its.name
    if (spans.length > 0) yield { ecosystem, name, spans }
  }
}

/** OSV schema, "affected[].ranges[].events": each introduced one up to the fixed or last affected one after it. */
function spansOf(events: readonly Record<string, string>[]): string[] {
  const spans: string[] = []
  let open: string | undefined
  const close = (end: string) => {
    if (open === undefined) return
    spans.push([...(open === '0' ? [] : [`>=${open}`]), ...(end === '' ? [] : [end])].join(',') || '>=0')
    open = undefined
  }
  for (const { introduced, fixed, last_affected: last } of events) {
    if (introduced !== undefined) {
      close('')
      open = introduced
    }
    if (fixed !== undefined) close(`<${fixed}`)
    if (last !== undefined) close(`<=${last}`)
  }
  close('')
  return spans
}
