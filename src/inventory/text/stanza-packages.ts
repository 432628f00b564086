import type { Package } from '../../model/package.ts'
import type { Fact } from '../extractor.ts'
import { stanzasOf, type Stanza } from './stanzas.ts'

/** How a database of stanzas is read. */
export interface StanzaReader {
  /** In lower case. */
  fields: ReadonlySet<string>
  isInstalled(stanza: Stanza): boolean
  /** Out: undefined where it has no name or version that can be read. */
  packageOf(stanza: Stanza): Package | undefined
}

/** In: a database of stanzas. Out: the packages that are installed; one that can't be read is a problem, with its line. */
export function* packagesIn(bytes: Buffer, { fields, isInstalled, packageOf }: StanzaReader): Generator<Fact> {
  for (const stanza of stanzasOf(bytes, fields)) {
    if (!isInstalled(stanza)) continue
    const found = packageOf(stanza)
    yield found === undefined
      ? { problem: `line ${stanza.line}: a package without a name or version that can be read` }
      : { package: found }
  }
}
