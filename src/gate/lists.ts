import { LazaretError } from '../kit/errors.ts'
import type { Answer, OciRequest } from '../kit/http.ts'
import { may, type Principal } from '../model/access.ts'
import { parseDigest } from '../model/digest.ts'
import { mediaTypes } from '../model/manifest.ts'
import type { Manifests, Referrer } from '../store/manifests/manifests.ts'
import type { Repository } from '../store/repositories.ts'

export const mostInPage = 1000
/** A referrers page ends before it grows past this: clients read an index of at most 4 MiB. */
const mostReferrersBytes = 3 * 1024 * 1024

/** Tags, catalog and referrers: by grants, never by verdict (docs/architecture.md, "The gate, exactly"). */
export interface Lists {
  tags(request: OciRequest): Promise<Answer>
  catalog(request: OciRequest): Promise<Answer>
  referrers(request: OciRequest): Promise<Answer>
}

export function createLists(manifests: Manifests, findRepository: (name: string) => Promise<Repository | undefined>): Lists {
  return {
    async tags(request) {
      const repository = await findRepository(request.repository)
      if (repository === undefined) throw new LazaretError('NAME_UNKNOWN', `no repository ${request.repository}`)
      const { limit, after } = pageOf(request.query)
      const tags = limit === 0 ? [] : await manifests.tags(repository.id, after, limit + 1)
      return page(`/v2/${request.repository}/tags/list`, tags, limit, (some) => ({ name: request.repository, tags: some }))
    },
    async catalog(request) {
      const { limit, after } = pageOf(request.query)
      const names = limit === 0 ? [] : await visibleRepositories(manifests, request.principal, after, limit + 1)
      return page('/v2/_catalog', names, limit, (some) => ({ repositories: some }))
    },
    async referrers(request) {
      const subject = parseDigest(request.reference)
      if (subject === undefined) throw new LazaretError('DIGEST_INVALID', `${JSON.stringify(request.reference.slice(0, 140))} is no digest`)
      const artifactType = request.query.get('artifactType') ?? undefined
      const repository = await findRepository(request.repository)
      const query = {
        after: request.query.get('last') ?? '',
        most: mostInPage,
        mostBytes: mostReferrersBytes,
        ...(artifactType === undefined ? {} : { artifactType }),
      }
      const found = repository === undefined ? { items: [], more: false } : await manifests.referrers(repository.id, subject, query)
      return referrersPage(request, found, artifactType)
    },
  }
}

/** OCI distribution-spec, "Listing Tags": `n` and `last`. Errors: PAGINATION_NUMBER_INVALID. */
function pageOf(query: URLSearchParams): { limit: number; after: string } {
  const text = query.get('n')
  if (text !== null && !/^\d{1,15}$/.test(text)) {
    throw new LazaretError('PAGINATION_NUMBER_INVALID', `n=${JSON.stringify(text.slice(0, 40))} is not a number of entries`)
  }
  return { limit: text === null ? mostInPage : Math.min(Number(text), mostInPage), after: query.get('last') ?? '' }
}

function page(path: string, entries: string[], limit: number, body: (some: string[]) => object): Answer {
  const some = entries.slice(0, limit)
  const last = some.at(-1)
  const next =
    entries.length > limit && last !== undefined
      ? { link: `<${path}?${new URLSearchParams({ n: String(limit), last }).toString()}>; rel="next"` }
      : {}
  return json(body(some), next)
}

/** Goes through the names in order and keeps those that this caller may pull, until a page is full. */
async function visibleRepositories(manifests: Manifests, principal: Principal, after: string, limit: number): Promise<string[]> {
  const grantsOnly = { kind: principal.kind, name: principal.name, grants: principal.grants }
  const found: string[] = []
  let cursor = after
  for (;;) {
    const names = await manifests.repositories(cursor, mostInPage)
    for (const name of names) {
      if (may(grantsOnly, 'pull', name)) found.push(name)
      if (found.length === limit) return found
    }
    cursor = names.at(-1) ?? ''
    if (names.length < mostInPage) return found
  }
}

function referrersPage(request: OciRequest, found: { items: Referrer[]; more: boolean }, artifactType: string | undefined): Answer {
  const parameters = new URLSearchParams({
    last: found.items.at(-1)?.digest ?? '',
    ...(artifactType === undefined ? {} : { artifactType }),
  })
  return json(
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: found.items.map(descriptorOf) },
    {
      'content-type': mediaTypes.ociIndex,
      ...(artifactType === undefined ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(found.more ? { link: `</v2/${request.repository}/referrers/${request.reference}?${parameters.toString()}>; rel="next"` } : {}),
    },
  )
}

function descriptorOf(referrer: Referrer): object {
  const annotations = JSON.parse(referrer.annotations) as Record<string, string>
  return {
    mediaType: referrer.mediaType,
    digest: referrer.digest,
    size: referrer.sizeBytes,
    ...(referrer.artifactType === null ? {} : { artifactType: referrer.artifactType }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }
}

function json(body: object, headers: Record<string, string>): Answer {
  const text = JSON.stringify(body)
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)), ...headers },
    body: text,
  }
}
