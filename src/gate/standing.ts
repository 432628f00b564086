import { granted, may, type Principal } from '../model/access.ts'
import type { ManifestKind } from '../model/manifest.ts'
import type { Decision } from '../model/verdict.ts'

/** How the gate answers one read, the best first. `pending` waits; `cache` is refused as a build cache. */
export const passages = ['passes', 'passes-by-grant', 'pending', 'denied', 'cache'] as const
export type Passage = (typeof passages)[number]

export interface Standing {
  kind: ManifestKind
  decision: Decision | null
}

/**
 * The one place that turns a standing into an answer (docs/architecture.md, "The gate, exactly").
 * In: who asks, which repository, how the thing stands there (its verdict still valid), whether the policy refuses at all.
 * Nothing unknown passes: only `allow` and `warn` do.
 */
export function passageOf(principal: Principal, repository: string, standing: Standing, enforcing: boolean): Passage {
  if (standing.kind === 'cache') return cachePassage(principal, repository)
  if (standing.decision === 'allow' || standing.decision === 'warn') return 'passes'
  if (!enforcing) return 'passes'
  if (granted(principal, 'read-quarantined', repository)) return 'passes-by-grant'
  return standing.decision === 'deny' ? 'denied' : 'pending'
}

/** A blob is read through the manifest by which it passes best. In: at least one standing. */
export function bestPassage<S extends Standing>(
  principal: Principal,
  repository: string,
  standings: readonly S[],
  enforcing: boolean,
): { standing: S; passage: Passage } {
  const answers = standings.map((standing) => ({ standing, passage: passageOf(principal, repository, standing, enforcing) }))
  const best = answers.toSorted((a, b) => passages.indexOf(a.passage) - passages.indexOf(b.passage))[0]
  if (best === undefined) throw new TypeError('a blob that stands under nothing has no best passage')
  return best
}

/** BuildKit reads its cache with a token for pulling alone: here the grant counts, not the token's scope. */
function cachePassage(principal: Principal, repository: string): Passage {
  return granted(principal, 'push', repository) ? 'passes' : 'cache'
}

/** HEAD tells those who push or delete whether a manifest is there: by the token's scope on Bearer, by the grants on Basic. */
export function mayLook(principal: Principal, repository: string): boolean {
  return mayLookForBlobs(principal, repository) || may(principal, 'delete', repository)
}

/** Only a push asks for blobs before it sends them. */
export function mayLookForBlobs(principal: Principal, repository: string): boolean {
  return may(principal, 'push', repository)
}
