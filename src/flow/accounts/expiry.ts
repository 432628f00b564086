import { LazaretError } from '../../kit/errors.ts'
import { parseInstant } from '../../kit/instants.ts'

const unitMs: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }
const mostDays = 3660

/**
 * In: how long a robot's token is good, `90d`, `12h`, `30m` or `4w`, or until which instant, and now (ms since 1970).
 * Out: the instant in ms. Throws LazaretError INPUT_INVALID on anything else, on the past, and beyond ten years.
 */
export function parseExpiry(text: string, now: number): number {
  const at = parseSpan(text, now) ?? parseInstant(text)
  if (at === undefined) throw invalid(text, 'write a span such as 90d or 12h, or an instant such as 2027-01-31T12:00:00Z')
  if (at <= now) throw invalid(text, 'that has passed')
  if (at > now + mostDays * 86_400_000)
    throw invalid(text, `more than ${mostDays} days are too long: leave it out for a token that does not expire`)
  return at
}

function parseSpan(text: string, now: number): number | undefined {
  const match = /^(\d{1,9})([mhdw])$/.exec(text)
  return match === null ? undefined : now + Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN)
}

function invalid(text: string, why: string): LazaretError {
  return new LazaretError('INPUT_INVALID', `not an expiry: ${JSON.stringify(text.slice(0, 60))}: ${why}`)
}
