import { messageOf } from '../../kit/errors.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import { lookAtRecords, type RecordsLook } from '../../store/records/look.ts'
import { fine, note, warning, wrong, type Diagnosis } from './diagnosis.ts'

/** Clocks of nodes that share records differ by so much. */
const aheadMs = 60_000

/** In: the settings and the time. Out: how the records stand, and the clock by them. */
export async function lookAtWhatIsKept(settings: Pick<Settings, 'data' | 'database'>, now: number): Promise<Diagnosis[]> {
  let look: RecordsLook | undefined
  try {
    look = await lookAtRecords(settings.data, settings.database)
  } catch (error) {
    const remedy =
      settings.database === undefined
        ? 'where the file is damaged, restore a backup; else see who may read it'
        : 'see that the database runs, and that the address in `database` is right'
    return [wrong('records', messageOf(error), remedy)]
  }
  if (look === undefined) return [note('records', 'there are none yet: the first start makes them')]
  return [schemaOf(look), ...clockBy(look, now), ...leftToDo(look)]
}

function schemaOf({ schema, stands }: RecordsLook): Diagnosis {
  if (stands === 'current') return fine('records', `schema ${schema}`)
  if (stands === 'behind') return note('records', `schema ${schema} is of an older version: the next start of this one brings it up`)
  return wrong('records', `schema ${schema} is of a newer version of Lazaret`, 'start that version, or restore a backup of before')
}

function clockBy({ newestAt }: RecordsLook, now: number): Diagnosis[] {
  if (newestAt === undefined) return []
  const says = `the newest record is of ${new Date(newestAt).toISOString()}`
  if (newestAt <= now + aheadMs) return [fine('clock', says)]
  const remedy = 'set the clock right, by NTP; where the records were made by a wrong one, leases and expiries last longer until then'
  return [wrong('clock', `${says}, and it is ${new Date(now).toISOString()}: the clock was set back, or was ahead before`, remedy)]
}

function leftToDo({ failedJobs, damagedBlobs }: RecordsLook): Diagnosis[] {
  return [
    ...(failedJobs === 0 ? [] : [warning('jobs', `${failedJobs} were given up`, 'lazaret jobs --state failed says why')]),
    ...(damagedBlobs === 0
      ? []
      : [wrong('damage', `${damagedBlobs} blobs are damaged on the disk, and held back`, 'look at the disk, and push their images again')]),
  ]
}
