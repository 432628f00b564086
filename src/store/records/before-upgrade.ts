import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { synced } from '../../kit/synced.ts'
import { stepAfter } from './migrate.ts'

/** All pages in one step: SQLite begins a copy anew whenever somebody else writes between two. */
export const wholeAtOnce = 2 ** 31 - 1
const mostKept = 2

/**
 * Before the tables of records that are in use are changed: a copy of them, named by the first step that it lacks
 * (`records.sqlite.before-0005-ledger`); the last two of such copies stay. Nothing where no step is due.
 * In: the open database, and its path. Throws UNAVAILABLE where it can't be made: then nothing is changed.
 */
export async function keepBeforeUpgrade(database: DatabaseSync, path: string): Promise<void> {
  const done = stepOf(database)
  if (done === undefined || stepAfter(done) === undefined) return
  const work = `${path}.copy-${process.pid}`
  try {
    await rm(work, { force: true })
    await backup(database, work, { rate: wholeAtOnce })
    await nameCopy(work, path)
  } catch (cause) {
    throw new LazaretError(
      'UNAVAILABLE',
      `the records could not be copied before their upgrade, and are as they were: ${messageOf(cause)}`,
      {
        cause,
      },
    )
  } finally {
    await rm(work, { force: true })
  }
}

/** Another process may have upgraded meanwhile: what counts is what the copy holds. */
async function nameCopy(work: string, path: string): Promise<void> {
  const copy = new DatabaseSync(work)
  let due: string | undefined
  try {
    copy.exec('pragma journal_mode = delete')
    due = stepAfter(stepOf(copy) ?? '')
  } finally {
    copy.close()
  }
  if (due === undefined) return
  await synced(work)
  await rename(work, `${path}.before-${due}`)
  await synced(dirname(path))
  await removeOlder(path)
}

async function removeOlder(path: string): Promise<void> {
  const folder = dirname(path)
  const copies = (await readdir(folder)).filter((name) => name.startsWith(`${basename(path)}.before-`)).toSorted()
  for (const name of copies.slice(0, -mostKept)) await rm(join(folder, name), { force: true })
}

/** Out: the last step that was made; undefined where there are no tables yet. Reads only. */
function stepOf(database: DatabaseSync): string | undefined {
  const table = database.prepare(`select 1 from sqlite_master where type = 'table' and name = 'meta'`).get()
  const row = table === undefined ? undefined : database.prepare(`select value from meta where key = 'schema'`).get()
  return row === undefined ? undefined : String(row['value'])
}
