import type { SourceRow } from '../../advisories/fetch/source-rows.ts'
import type { ChosenSource } from '../../model/advisory-sources.ts'

const firstAgainMs = 300_000
/** What a timer can wait. */
const mostWaitMs = 2_000_000_000

/**
 * In: the sources that are set, what is known of them, and the time. Out: how long to wait for the next look at them. At once where
 * one was never asked; sooner than usual, at growing distances, where the last look failed; never longer than the interval, whatever
 * clock wrote the instants. A tenth is by chance, so that not every server asks at the same minute.
 */
export function waitForUpdate(
  sources: readonly ChosenSource[],
  rows: readonly SourceRow[],
  { intervalMs, now, random }: { intervalMs: number; now: number; random: number },
): number {
  const waits = sources.map(({ name }) => {
    const own = rows.filter(({ source }) => source === name)
    if (own.length === 0) return 0
    return Math.min(
      ...own.map(({ triedAt, failures }) => {
        const pause = failures === 0 ? intervalMs : Math.min(intervalMs, firstAgainMs * 2 ** Math.min(20, failures - 1))
        return Math.min(pause, Math.max(0, Date.parse(triedAt) + pause - now))
      }),
    )
  })
  const wait = Math.min(intervalMs, ...waits)
  return Math.min(mostWaitMs, Math.round(wait + random * Math.min(intervalMs, firstAgainMs * 4) * 0.1))
}
