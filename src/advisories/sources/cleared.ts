import type { AffectedPackage } from '../../model/advisory.ts'

/** How the readers of a distribution's lists say to themselves that it clears a package. */
export const notAffected = 'not affected, says the distribution'

/** What stands for that in a record: the package with no version that is affected, and the word. */
export function clearedPackage(ecosystem: string, name: string): AffectedPackage {
  return { ecosystem, name, ranges: [], versions: [], word: 'not-affected' }
}
