import { statusOf, type AdvisoryStatus } from '../../advisories/status.ts'
import { policies } from '../../judge/policy.ts'
import { messageOf } from '../../kit/errors.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import { oldSources } from '../advisories/old-sources.ts'
import { fine, note, warning, wrong, type Diagnosis } from './diagnosis.ts'

const check = 'advisories'

/** In: the settings; `isNew` where the data folder was never used. */
export function lookAtAdvisories({ data, policy }: Pick<Settings, 'data' | 'policy'>, isNew: boolean, now: Date): Diagnosis {
  if (isNew) return note(check, 'there are none yet: the first start lays down those that come with it')
  let status: AdvisoryStatus
  try {
    status = statusOf(data, now)
  } catch (error) {
    return wrong(check, messageOf(error), 'lazaret advisories import PATH brings new ones; a start lays down those that come with it')
  }
  const { staleDays } = policies[policy]
  const old = oldSources(status, staleDays)
  if (old.length === 0) return fine(check, `${status.records} records, the newest of ${status.date}`)
  const named = old.map(({ source, ageDays }) => `${source} ${ageDays} days`).join(', ')
  return warning(check, `older than ${staleDays} days: ${named}`, 'lazaret advisories import PATH')
}
