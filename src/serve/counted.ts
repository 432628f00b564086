import type { House } from '../flow/house.ts'
import { LazaretError } from '../kit/errors.ts'
import type { OciRequest } from '../kit/http.ts'
import type { Metrics } from '../kit/metrics.ts'

/** What happened, by a closed list of words. */
interface Counting {
  denied: (rule: string) => void
  refused: (limit: string) => void
}

/** In: the house. Out: it, with what its gate denies and its limits refuse counted. Answers and errors stay what they are. */
export function countedHouse(house: House, metrics: Metrics): House {
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
  const counting: Counting = { denied: (rule) => denied.of(rule).add(), refused: (limit) => refused.of(limit).add() }
  return {
    ...house,
    gate: countedGate(house.gate, counting),
    signIn: countedSignIn(house.signIn, counting),
    push: countedPush(house.push, counting),
  }
}

const limits = ['sign-ins', 'uploads-per-minute', 'uploads-open', 'disk'] as const

function countedGate(gate: House['gate'], { denied }: Counting): House['gate'] {
  const watched =
    <T>(read: (request: OciRequest) => Promise<T>) =>
    (request: OciRequest): Promise<T> =>
      read(request).catch((error: unknown) => {
        for (const rule of deniedBy(error)) denied(rule)
        throw error
      })
  return {
    ...gate,
    getManifest: watched(gate.getManifest),
    headManifest: watched(gate.headManifest),
    getBlob: watched(gate.getBlob),
    headBlob: watched(gate.headBlob),
  }
}

/** Out: the rules of the policy that say deny; where there are none, why it is held all the same. */
function deniedBy(error: unknown): string[] {
  if (!(error instanceof LazaretError) || error.code !== 'DENIED') return []
  const { reasons, decision } = (error.detail ?? {}) as { reasons?: { rule: string; effect: string }[]; decision?: string }
  if (reasons === undefined) return []
  const rules = reasons.filter(({ effect }) => effect === 'deny').map(({ rule }) => rule)
  return rules.length > 0 ? rules : [decision === 'pending' ? 'pending' : 'unheld']
}

function countedSignIn(signIn: House['signIn'], { refused }: Counting): House['signIn'] {
  const watched =
    <Given extends unknown[], T>(ask: (...given: Given) => Promise<T>) =>
    (...given: Given): Promise<T> =>
      ask(...given).catch((error: unknown) => {
        if (error instanceof LazaretError && error.code === 'TOOMANYREQUESTS') refused('sign-ins')
        throw error
      })
  return { ...signIn, authenticate: watched(signIn.authenticate), issue: watched(signIn.issue), issueOAuth: watched(signIn.issueOAuth) }
}

function countedPush(push: House['push'], { refused }: Counting): House['push'] {
  const watched =
    <T>(take: (request: OciRequest) => Promise<T>) =>
    (request: OciRequest): Promise<T> =>
      take(request).catch((error: unknown) => {
        const limit = limitOf(error)
        if (limit !== undefined) refused(limit)
        throw error
      })
  const { blobs, manifests } = push
  return {
    blobs: { ...blobs, start: watched(blobs.start), patch: watched(blobs.patch), finish: watched(blobs.finish) },
    manifests: { ...manifests, put: watched(manifests.put) },
  }
}

function limitOf(error: unknown): string | undefined {
  if (!(error instanceof LazaretError)) return undefined
  const { limit } = (error.detail ?? {}) as { limit?: string }
  if (limit !== undefined) return limits.find((word) => word === limit)
  return error.code === 'TOOMANYREQUESTS' ? 'uploads-open' : undefined
}
