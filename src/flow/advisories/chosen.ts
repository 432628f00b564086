import type { ChosenSource } from '../../model/advisory-sources.ts'
import { isSourceName, sourceNames } from '../../model/advisory-sources.ts'
import { LazaretError } from '../../kit/errors.ts'
import type { Settings } from '../../kit/settings/settings.ts'

/**
 * In: sources by name, none for all that are set. Out: each with its address: the one that is set, else its own.
 * Throws USAGE for a name that is none, and where nothing is named or set; CONFLICT where nothing may be fetched.
 */
export function chosenSources(names: readonly string[], { advisories, offline }: Pick<Settings, 'advisories' | 'offline'>): ChosenSource[] {
  if (offline) throw new LazaretError('CONFLICT', 'nothing is fetched: offline is set (LAZARET_OFFLINE)')
  if (names.length === 0 && advisories.sources.length === 0)
    throw new LazaretError('USAGE', `no source is set (advisories.sources), and none is named: ${sourceNames.join(', ')}`)
  if (names.length === 0) return advisories.sources
  return [...new Set(names)].map((name) => {
    if (!isSourceName(name))
      throw new LazaretError('USAGE', `there is no source ${JSON.stringify(name.slice(0, 40))}: ${sourceNames.join(', ')}`)
    return advisories.sources.find((one) => one.name === name) ?? { name }
  })
}
