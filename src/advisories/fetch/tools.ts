import { setTimeout as sleep } from 'node:timers/promises'
import type { Outgoing } from '../../kit/outgoing/outgoing.ts'

export interface FetchLimits {
  /** How often one file is asked for, at most. */
  tries: number
  /** The first pause; each further one is twice as long. */
  pauseMs: number
  mostPauseMs: number
  connectMs: number
  /** Until the head of an answer. */
  answerMs: number
  /** How long a body may stand still. */
  idleMs: number
  /** How long one file may take in all, pauses included: one that drips is given up, and goes on where it was the next time. */
  fileMs: number
  redirects: number
  /** Bytes of one file as it is served. */
  fileBytes: number
  /** Bytes of one record that is fetched by itself. */
  recordBytes: number
  /** More changed records than this are fetched as one archive. */
  singles: number
  /** Records that are fetched by themselves at one time. */
  atOnce: number
  /** Rows of a list of changes. */
  rows: number
}

export const fetchLimits: FetchLimits = {
  tries: 4,
  pauseMs: 1000,
  mostPauseMs: 60_000,
  connectMs: 30_000,
  answerMs: 60_000,
  idleMs: 60_000,
  fileMs: 30 * 60_000,
  redirects: 5,
  fileBytes: 2 * 1024 ** 3,
  recordBytes: 8 * 1024 ** 2,
  singles: 1000,
  atOnce: 8,
  rows: 5_000_000,
}

/** What fetching needs of the world. */
export interface FetchTools {
  outgoing: Outgoing
  /** Ends whatever is under way. */
  signal: AbortSignal
  /** Milliseconds since 1970. */
  now: () => number
  /** 0 to 1. */
  random: () => number
  pause: (ms: number) => Promise<void>
  limits: FetchLimits
}

export function fetchTools(outgoing: Outgoing, signal: AbortSignal, limits: Partial<FetchLimits> = {}): FetchTools {
  return {
    outgoing,
    signal,
    now: Date.now,
    random: Math.random,
    pause: (ms) => sleep(ms, undefined, { signal }),
    limits: { ...fetchLimits, ...limits },
  }
}
