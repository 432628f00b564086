import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LazaretError } from '../../kit/errors.ts'
import { asNoRoom } from '../../kit/no-room.ts'
import type { ChosenSource } from '../../model/advisory-sources.ts'
import { ensureDatabase } from '../ensure.ts'
import type { ReadLimits } from '../documents.ts'
import { advisoryFolder, currentRevision, type Revision, withFolderLock } from '../revisions.ts'
import { shown } from './ask.ts'
import type { Wanted } from './feed.ts'
import { feeds } from './feeds.ts'
import { importFetched } from './import-fetched.ts'
import { type PartState, readState, stateKey, writeState } from './state.ts'
import { type SourceRow, sourceRows } from './source-rows.ts'
import type { FetchTools } from './tools.ts'
import { failed, type Unit } from './unit.ts'

export interface UpdateRequest extends Wanted {
  sources: readonly ChosenSource[]
  /** Forgets what was read before, and what a server asked to wait for. */
  whole?: boolean
  readLimits?: Partial<ReadLimits>
}

export interface UpdateReport {
  /** In force afterwards. */
  revision: string
  /** Whether another one is in force than before. */
  changed: boolean
  sources: SourceRow[]
}

/**
 * In: the sources to ask, and the data folder. Out: what came of each, in force. A source that fails says so in its row, keeps what
 * was read of it before, and stops no other. Throws CONFLICT while another update runs, and what keeps any from being made.
 */
export async function updateAdvisories(request: UpdateRequest, dataFolder: string, tools: FetchTools): Promise<UpdateReport> {
  try {
    await ensureDatabase(dataFolder)
    return await updateLocked(request, dataFolder, tools)
  } catch (error) {
    throw asNoRoom(error) ?? error
  }
}

function updateLocked(request: UpdateRequest, dataFolder: string, tools: FetchTools): Promise<UpdateReport> {
  return withFolderLock(dataFolder, 'update.lock', 'another update of the advisories is running', async () => {
    const { parts } = readState(dataFolder)
    const before = currentRevision(dataFolder)
    const units = request.sources.flatMap((chosen) => unitsOf(chosen, request, parts, dataFolder, tools.now()))
    await clearFetched(dataFolder, units)
    for (const unit of units) await fetchUnit(unit, tools)
    tools.signal.throwIfAborted()
    await importFetched(units, dataFolder, new Date(tools.now()), request.readLimits)
    for (const unit of units) parts.set(unit.key, unit.state)
    await writeState(dataFolder, parts)
    for (const unit of units) if (unit.fetched !== undefined) await rm(unit.ask.folder, { recursive: true, force: true }) // else it can be gone on with
    const after = currentRevision(dataFolder)
    const keys = new Set(units.map(({ key }) => key))
    return {
      revision: after?.revision ?? '',
      changed: after?.revision !== before?.revision,
      sources: sourceRows(parts, tools.now()).filter((row) => keys.has(stateKey(row.source, row.part))),
    }
  })
}

function unitsOf(
  chosen: ChosenSource,
  request: UpdateRequest,
  parts: ReadonlyMap<string, PartState>,
  dataFolder: string,
  now: number,
): Unit[] {
  const feed = feeds[chosen.name]
  const base = new URL(chosen.base ?? feed.origin)
  const hosts = chosen.base === undefined ? feed.hosts : []
  const current = currentRevision(dataFolder)
  return feed.parts(request).map((part) => {
    const key = stateKey(feed.name, part)
    const before = parts.get(key)
    const holds = before !== undefined && request.whole !== true && before.from === shown(base) && isIn(current, before.counter)
    const folder = join(advisoryFolder(dataFolder), 'fetched', key.replaceAll(/[^A-Za-z0-9._-]/g, '_'))
    const state: PartState = { ...(before ?? { failures: 0 }), source: feed.name, part, from: shown(base), triedAt: now }
    if (request.whole === true) delete state.notBefore
    return { key, feed, base, ask: { part, base, hosts, known: holds ? before : undefined, folder }, state }
  })
}

/** Out: whether what was read by a revision is in the one in force: it is not after a roll-back or an export that replaced all. */
function isIn(current: Revision | undefined, counter: number | undefined): boolean {
  return current !== undefined && counter !== undefined && counter >= current.wholeSince && counter <= current.counter
}

/** Fetches one part; what goes wrong stands in its state, in words. */
async function fetchUnit(unit: Unit, tools: FetchTools): Promise<void> {
  const { state } = unit
  const now = tools.now()
  if (state.notBefore !== undefined && state.notBefore > now && state.notBefore - now <= dayMs) {
    return failed(unit, new LazaretError('UNAVAILABLE', `it asked to be left alone until ${new Date(state.notBefore).toISOString()}`))
  }
  delete state.notBefore
  try {
    unit.fetched = await unit.feed.bring(unit.ask, tools)
  } catch (error) {
    tools.signal.throwIfAborted()
    const { afterMs } = error as { afterMs?: number }
    if (afterMs !== undefined) state.notBefore = now + afterMs
    failed(unit, error)
  }
}

const dayMs = 86_400_000

/** What belongs to no part that is asked for now is not gone on with. */
async function clearFetched(dataFolder: string, units: readonly Unit[]): Promise<void> {
  const folder = join(advisoryFolder(dataFolder), 'fetched')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const wanted = new Set(units.map(({ ask }) => ask.folder))
  for (const name of await readdir(folder))
    if (!wanted.has(join(folder, name))) await rm(join(folder, name), { recursive: true, force: true })
}
