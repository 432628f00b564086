const form = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/i

/**
 * In: an instant of RFC 3339 with its offset, `2027-01-31T12:00:00Z`; the seconds may be left out. Out: milliseconds since 1970,
 * or undefined: for a day that no calendar has too, and for a time without an offset, which every reader would take for their own.
 */
export function parseInstant(text: string): number | undefined {
  const match = form.exec(text)
  if (match === null) return undefined
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])]
  const calendar = new Date(Date.UTC(year, month - 1, day))
  if (calendar.getUTCMonth() !== month - 1 || calendar.getUTCDate() !== day || calendar.getUTCFullYear() !== year) return undefined
  const instant = Date.parse(text)
  return Number.isNaN(instant) ? undefined : instant
}
