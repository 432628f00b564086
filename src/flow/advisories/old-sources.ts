import type { AdvisoryStatus } from '../../advisories/status.ts'
import { messageOf } from '../../kit/errors.ts'
import type { Log } from '../../kit/log.ts'
import { policies } from '../../judge/policy.ts'
import type { Settings } from '../../kit/settings/settings.ts'

export interface OldSource {
  source: string
  ageDays: number
}

/**
 * In: the status of the advisories in force, and the age in days from which they count as stale. Out: the sources whose
 * newest record is older, the oldest first. A source without records judges nothing and is left out.
 */
export function oldSources(status: Pick<AdvisoryStatus, 'sources'>, staleDays: number): OldSource[] {
  return status.sources
    .filter(({ records, ageDays }) => records > 0 && ageDays > staleDays)
    .map(({ source, ageDays }) => ({ source, ageDays }))
    .toSorted((a, b) => b.ageDays - a.ageDays || a.source.localeCompare(b.source))
}

export interface AgeParts {
  advisories: () => { status(): Pick<AdvisoryStatus, 'sources'> }
  settings: Pick<Settings, 'policy'>
  log: Log
}

/** Says, in one line at `warn`, which sources are older than the policy takes for fresh, and what helps. Never throws. */
export function sayOldSources({ advisories, settings, log }: AgeParts): void {
  try {
    const { staleDays } = policies[settings.policy]
    const sources = oldSources(advisories().status(), staleDays)
    if (sources.length === 0) return
    const named = sources.map(({ source, ageDays }) => `${source} ${ageDays} days`).join(', ')
    log.warn({ sources }, `advisories older than ${staleDays} days judge images: ${named}. Bring newer ones: lazaret advisories import`)
  } catch (error) {
    log.error({ problem: messageOf(error) }, 'the age of the advisories is not known')
  }
}
