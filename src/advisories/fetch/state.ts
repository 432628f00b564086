import { readFileSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { LazaretError, messageOf } from '../../kit/errors.ts'
import { isSourceName, type SourceName } from '../../model/advisory-sources.ts'
import { isObject } from '../fields.ts'
import { advisoryFolder } from '../revisions.ts'
import type { Dropped } from '../tally.ts'
import type { Cursor } from './modified-list.ts'
import type { Validators } from './part-file.ts'

/** How records went from a source into the database: `in` is all that was read, and what became of each. */
export interface SourceCounts {
  in: number
  added: number
  replaced: number
  unchanged: number
  /** Left as it was, as what is there is newer. */
  kept: number
  /** CVEs known to be exploited, or with a probability of it. */
  facts: number
  dropped: number
  why: Dropped[]
}

/** What is known of one part of a source: an ecosystem of OSV, a release of Alpine, the whole of the others. */
export interface PartState {
  source: SourceName
  part: string
  /** Where it is asked; without its query. */
  from: string
  /** Milliseconds since 1970, as all instants here. */
  triedAt: number
  /** When it was last asked and all was well, be it that nothing was new. */
  goodAt?: number
  /** Of its last try, in words; absent where that was good. */
  problem?: string
  /** Tries in a row that failed. */
  failures: number
  /** The server asks to be left alone until then. */
  notBefore?: number
  /** Set by a good answer of the source's own address, not of a mirror. */
  proven?: boolean
  validators?: Validators
  /** Of a whole file that was read: what comes later may not be older. */
  dataAt?: number
  cursor?: Cursor
  /** Listed, and not there when they were asked for. */
  missing?: string[]
  /** The revision that has what was read: with an older one in force it is read whole again. */
  counter?: number
  /** How the last try that brought something brought it, and when. */
  brought?: { how: 'whole' | 'delta'; at: number; bytes: number; listed?: number; counts: SourceCounts }
}

/*
 *  DATA/advisories/
 *    sources.json     what is known of each part of each source: exchanged whole
 *    fetched/         files under way; what broke off is gone on with
 *    update.lock      locked by the process that updates
 */
export const stateKey = (source: SourceName, part: string): string => (part === '' ? source : `${source}/${part}`)
const statePath = (dataFolder: string): string => join(advisoryFolder(dataFolder), 'sources.json')

/** Out: by `stateKey`; `damaged` in words where the file can't be read: then every source is read whole again. */
export function readState(dataFolder: string): { parts: Map<string, PartState>; damaged?: string } {
  const path = statePath(dataFolder)
  const parts = new Map<string, PartState>()
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as unknown
    if (!isObject(value) || !isObject(value['parts'])) throw new SyntaxError('not a list of sources')
    for (const state of Object.values(value['parts'])) if (isPart(state)) parts.set(stateKey(state.source, state.part), state)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { parts }
    if (error instanceof SyntaxError) return { parts: new Map(), damaged: `what was known of the sources is damaged: ${messageOf(error)}` }
    throw new LazaretError('UNAVAILABLE', `${path} can't be read: ${messageOf(error)}`, { cause: error })
  }
  return { parts }
}

function isPart(value: unknown): value is PartState {
  return (
    isObject(value) &&
    typeof value['part'] === 'string' &&
    typeof value['source'] === 'string' &&
    isSourceName(value['source']) &&
    typeof value['triedAt'] === 'number' &&
    typeof value['failures'] === 'number' &&
    typeof value['from'] === 'string'
  )
}

/** The bytes reach the disk before the name does. Throws what the disk throws. */
export async function writeState(dataFolder: string, parts: ReadonlyMap<string, PartState>): Promise<void> {
  const path = statePath(dataFolder)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const fresh = `${path}.new`
  const file = await open(fresh, 'w', 0o600)
  try {
    await file.writeFile(`${JSON.stringify({ version: 1, parts: Object.fromEntries(parts) })}\n`)
    await file.sync()
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  } finally {
    await file.close()
  }
  await rename(fresh, path)
}
