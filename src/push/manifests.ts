import { LazaretError } from '../kit/errors.ts'
import { headerOf, type Answer, type OciRequest } from '../kit/http.ts'
import { principalId } from '../model/access.ts'
import { parseDigest, type Digest } from '../model/digest.ts'
import { isTag } from '../model/names.ts'
import type { Blobs } from '../store/blobs/blobs.ts'
import { acceptManifest } from '../store/manifests/accept.ts'
import type { Manifests } from '../store/manifests/manifests.ts'
import { mostManifestBytes } from '../store/manifests/parse.ts'
import type { Records } from '../store/records/records.ts'
import type { Repository } from '../store/repositories.ts'
import type { ImmutableTags } from '../store/tag-history.ts'

/** The write half of the OCI API for manifests and tags. Rights were checked before. */
export interface ManifestPush {
  put(request: OciRequest): Promise<Answer>
  /** By tag: the tag alone. By digest: the manifest with its tags. */
  remove(request: OciRequest): Promise<Answer>
}

export interface ManifestPushParts {
  records: Records
  blobs: Blobs
  manifests: Manifests
  findRepository: (name: string) => Promise<Repository | undefined>
  /** Which tags of a repository stay where they are. */
  immutableTags: (repository: string) => Promise<ImmutableTags | undefined>
  /** Wakes the workers. */
  onAccepted: () => void
  now: () => number
}

export function createManifestPush(parts: ManifestPushParts): ManifestPush {
  return {
    async put(request) {
      const { tags, expected } = tagsOf(request)
      const bytes = await readManifest(request)
      const declaredType = headerOf(request, 'content-type') ?? ''
      const principal = principalId(request.principal)
      const incoming = {
        repository: request.repository,
        bytes,
        declaredType,
        tags,
        principal,
        address: request.address,
        immutableTags: await parts.immutableTags(request.repository),
        ...(expected === undefined ? {} : { expected }),
      }
      const { manifest } = await acceptManifest(parts.records, parts.blobs, incoming, parts.now())
      parts.onAccepted()
      return {
        status: 201,
        headers: {
          location: `/v2/${request.repository}/manifests/${manifest.digest}`,
          'docker-content-digest': manifest.digest,
          'content-length': '0',
          ...(manifest.subject === undefined ? {} : { 'oci-subject': manifest.subject.digest }),
          ...(request.query.has('tag') ? { 'oci-tag': tags } : {}),
        },
      }
    },
    async remove(request) {
      const repository = await parts.findRepository(request.repository)
      const digest = parseDigest(request.reference)
      if (digest === undefined && !isTag(request.reference)) throw unknown(request)
      const change = {
        actor: { principal: principalId(request.principal), address: request.address },
        at: parts.now(),
        immutableTags: await parts.immutableTags(request.repository),
      }
      const gone =
        repository !== undefined &&
        (digest === undefined
          ? await parts.manifests.deleteTag(repository.id, request.reference, change)
          : await parts.manifests.deleteManifest(repository.id, digest, change.at, change))
      if (!gone) throw unknown(request)
      return { status: 202, headers: {} }
    },
  }
}

function unknown(request: OciRequest): LazaretError {
  return new LazaretError('MANIFEST_UNKNOWN', `${request.repository} holds no ${request.reference.slice(0, 140)}`)
}

/** Tags that a push names: in its path, or by `?tag=` on a push by digest (OCI distribution-spec, "Pushing manifests"). */
function tagsOf(request: OciRequest): { tags: string[]; expected?: Digest } {
  const byQuery = request.query.getAll('tag')
  const wrong = byQuery.find((tag) => !isTag(tag))
  if (wrong !== undefined) throw new LazaretError('TAG_INVALID', `${JSON.stringify(wrong.slice(0, 140))} is not a tag`)
  if (byQuery.length > 100) throw new LazaretError('TAG_INVALID', 'at most 100 tags in one push')
  const expected = parseDigest(request.reference)
  if (expected !== undefined) return { tags: [...new Set(byQuery)], expected }
  if (!isTag(request.reference))
    throw new LazaretError('TAG_INVALID', `${JSON.stringify(request.reference.slice(0, 140))} is neither tag nor digest`)
  return { tags: [...new Set([request.reference, ...byQuery])] }
}

async function readManifest(request: OciRequest): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > mostManifestBytes) {
      throw new LazaretError('MANIFEST_INVALID', `a manifest may have ${mostManifestBytes} bytes at most`, {
        status: 413,
        headers: { connection: 'close' },
      })
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
