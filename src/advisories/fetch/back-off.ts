import type { FetchTools } from './tools.ts'

const dayMs = 86_400_000

/** In: a `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. Out: milliseconds from now, a day at most; undefined for anything else. */
export function retryAfterMs(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  const text = value.trim()
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(ms) ? undefined : Math.min(dayMs, Math.max(0, ms))
}

/**
 * In: which try failed, the first being 1, and what the server asked for. Out: how long to wait for the next; undefined where it
 * is not to be waited for. Half of a pause is by chance, so that many who were turned away at once don't come back at once.
 */
export function pauseAfter(
  attempt: number,
  askedMs: number | undefined,
  { limits, random }: Pick<FetchTools, 'limits' | 'random'>,
): number | undefined {
  if (attempt >= limits.tries) return undefined
  if (askedMs !== undefined && askedMs > limits.mostPauseMs) return undefined
  const longest = Math.min(limits.mostPauseMs, limits.pauseMs * 2 ** (attempt - 1))
  return Math.round(Math.max(askedMs ?? 0, longest * (0.5 + random() / 2)))
}
