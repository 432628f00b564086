import { LazaretError } from '../kit/errors.ts'
import type { Metrics } from '../kit/metrics.ts'

/** In: what a request was refused with. Counts it where it is one of those that are counted. */
export type CountRefusal = (error: unknown) => void

const limits = ['sign-ins', 'uploads-per-minute', 'uploads-open', 'disk'] as const

/** What the gate denies and the limits refuse, by closed lists of words: counted when it is refused, so that what passes pays nothing. */
export function createRefusalCount(metrics: Metrics): CountRefusal {
  const denied = metrics.counter({
    name: 'lazaret_pulls_denied',
    help: 'Pulls that the gate refused, once for each rule that denied them; pending: not judged yet; unheld: a blob under no manifest that may be pulled.',
    labels: ['rule'],
  })
  const refused = metrics.counter({
    name: 'lazaret_limits_refused',
    help: 'Requests that a limit refused: sign-ins (failed too often), uploads-per-minute, uploads-open, disk (below the low-water mark).',
    labels: ['limit'],
  })
  for (const limit of limits) refused.of(limit).add(0)
  return (error) => {
    if (!(error instanceof LazaretError)) return
    for (const rule of deniedBy(error)) denied.of(rule).add()
    const limit = limitOf(error)
    if (limit !== undefined) refused.of(limit).add()
  }
}

/** Out: the rules of the policy that say deny; where there are none, why it is held all the same. Only the gate gives reasons. */
function deniedBy(error: LazaretError): string[] {
  const { reasons, decision } = detailOf<{ reasons: { rule: string; effect: string }[]; decision: string }>(error)
  if (error.code !== 'DENIED' || reasons === undefined) return []
  const rules = reasons.filter(({ effect }) => effect === 'deny').map(({ rule }) => rule)
  return rules.length > 0 ? rules : [decision === 'pending' ? 'pending' : 'unheld']
}

function limitOf(error: LazaretError): string | undefined {
  const { limit } = detailOf<{ limit: string }>(error)
  if (limit !== undefined) return limits.find((word) => word === limit)
  return error.code === 'TOOMANYREQUESTS' ? 'uploads-open' : undefined
}

function detailOf<T>({ detail }: LazaretError): Partial<T> {
  return typeof detail === 'object' && detail !== null ? detail : {}
}
