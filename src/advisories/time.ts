/** In: ISO 8601. Out: seconds since 1970; undefined for undefined, what is no date, and one before (Go writes year 1 for none). */
export function toSeconds(date: string | undefined): number | undefined {
  const time = date === undefined ? Number.NaN : Date.parse(date)
  return Number.isNaN(time) || time < 0 ? undefined : Math.floor(time / 1000)
}

/** In: seconds since 1970. Out: ISO 8601 with seconds, in UTC. */
export function fromSeconds(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
}
