import { isoSeconds } from '../fields.ts'
import type { SourceName } from '../../model/advisory-sources.ts'
import { feeds } from './feeds.ts'
import { type PartState, readState, type SourceCounts } from './state.ts'

/** What an operator is told of a source, or of a part of it. */
export interface SourceRow {
  source: SourceName
  /** An ecosystem of OSV, a release of Alpine; empty where the source is one file. */
  part: string
  from: string
  /** good: its last try was · failed: `problem` says why, and what was read before stays in force. */
  state: 'good' | 'failed'
  /** Never seen to work with the source itself. */
  unproven: boolean
  /** ISO 8601, as the others. */
  triedAt: string
  goodAt?: string
  /** Since it was last good; absent where it never was. */
  ageSeconds?: number
  problem?: string
  failures: number
  /** What came the last time that something did. */
  brought?: { how: 'whole' | 'delta'; at: string; bytes: number; listed?: number; counts: SourceCounts }
}

/** In: the data folder. Out: a row for each part that was ever asked for. */
export function sourcesOf(dataFolder: string, now: number): SourceRow[] {
  return sourceRows(readState(dataFolder).parts, now)
}

export function sourceRows(parts: ReadonlyMap<string, PartState>, now: number): SourceRow[] {
  return [...parts.values()]
    .map((state) => rowOf(state, now))
    .toSorted((a, b) => a.source.localeCompare(b.source) || a.part.localeCompare(b.part))
}

function rowOf(state: PartState, now: number): SourceRow {
  const { source, part, from, failures, goodAt, problem, brought, proven } = state
  return {
    source,
    part,
    from,
    state: problem === undefined ? 'good' : 'failed',
    unproven: !feeds[source].proven && proven !== true,
    triedAt: instant(state.triedAt),
    // A clock that was set back makes nothing older than it is, nor younger than now.
    ...(goodAt === undefined ? {} : { goodAt: instant(goodAt), ageSeconds: Math.max(0, Math.floor((now - goodAt) / 1000)) }),
    ...(problem === undefined ? {} : { problem }),
    failures,
    ...(brought === undefined ? {} : { brought: { ...brought, at: instant(brought.at) } }),
  }
}

const instant = (ms: number): string => isoSeconds(new Date(ms))
