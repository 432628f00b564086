import { LazaretError } from '../kit/errors.ts'
import { headerOf, type Answer, type OciRequest } from '../kit/http.ts'
import { granted, principalId } from '../model/access.ts'
import { parseDigest, type Digest } from '../model/digest.ts'
import { holdBlob, linkBlob, type Blob, type Blobs } from '../store/blobs/blobs.ts'
import { unknownUpload, type UploadOwner } from '../store/blobs/sessions.ts'
import type { Uploads } from '../store/blobs/uploads.ts'
import type { Records } from '../store/records/records.ts'
import { ensureRepository, type Repository } from '../store/repositories.ts'

/** The write half of the OCI API for blobs: OCI distribution-spec, "Pushing blobs". Rights were checked before. */
export interface BlobPush {
  start(request: OciRequest): Promise<Answer>
  status(request: OciRequest): Promise<Answer>
  patch(request: OciRequest): Promise<Answer>
  finish(request: OciRequest): Promise<Answer>
  cancel(request: OciRequest): Promise<Answer>
  remove(request: OciRequest): Promise<Answer>
}

export interface BlobPushParts {
  records: Records
  blobs: Blobs
  uploads: Uploads
  findRepository: (name: string) => Promise<Repository | undefined>
  /** Whether this caller may take a blob out of that repository: through the gate, or by the right to push there. */
  mayTake: (request: OciRequest, from: Repository, digest: Digest) => Promise<boolean>
  /** Wakes the workers. */
  onAccepted: () => void
  now: () => number
}

/** An anonymous mount asks the gate of so many repositories: an upload is cheaper than a long search. */
const mostSources = 20

export function createBlobPush(parts: BlobPushParts): BlobPush {
  const { records, blobs, uploads, now } = parts

  async function start(request: OciRequest): Promise<Answer> {
    const mount = request.query.get('mount')
    const mounted = mount === null ? undefined : await tryMount(parts, request, mount)
    if (mounted !== undefined) return created(request, mounted)
    const text = request.query.get('digest')
    const digest = text === null || mount !== null ? undefined : wantDigest(text)
    const owner = await ownerOf(request)
    const id = await uploads.start(owner)
    return digest === undefined ? accepted(request, id, 0) : taken(request, await finishAtOnce(id, owner, request, digest))
  }

  /** The client was never told of this upload: where it fails, nobody will go on with it. */
  async function finishAtOnce(id: string, owner: UploadOwner, request: OciRequest, digest: Digest): Promise<Blob> {
    try {
      return await uploads.finish(id, owner, request.body, digest)
    } catch (error) {
      await uploads.cancel(id, owner).catch((gone: unknown) => ended(gone))
      throw error
    }
  }

  function taken(request: OciRequest, blob: Blob): Answer {
    parts.onAccepted()
    return created(request, blob)
  }

  async function ownerOf(request: OciRequest): Promise<UploadOwner> {
    const known = await parts.findRepository(request.repository)
    const repository = known ?? (await records.write((tx) => ensureRepository(tx, request.repository, now())))
    return { repositoryId: repository.id, principal: principalId(request.principal) }
  }

  /** Of an upload that was begun: asking for one makes no repository. */
  async function beganBy(request: OciRequest): Promise<UploadOwner> {
    const repository = await parts.findRepository(request.repository)
    if (repository === undefined) throw unknownUpload()
    return { repositoryId: repository.id, principal: principalId(request.principal) }
  }

  return {
    start,
    async status(request) {
      const received = await uploads.status(request.reference, await beganBy(request))
      return { ...accepted(request, request.reference, received), status: 204 }
    },
    async patch(request) {
      const owner = await beganBy(request)
      const received = await outOfOrder(request, () => uploads.append(request.reference, owner, sized(request), chunkStart(request)))
      return accepted(request, request.reference, received)
    },
    async finish(request) {
      const digest = wantDigest(request.query.get('digest'))
      const owner = await beganBy(request)
      return taken(
        request,
        await outOfOrder(request, () => uploads.finish(request.reference, owner, sized(request), digest, chunkStart(request))),
      )
    },
    async cancel(request) {
      await uploads.cancel(request.reference, await beganBy(request))
      return { status: 204, headers: {} }
    },
    async remove(request) {
      const digest = wantDigest(request.reference)
      const repository = await parts.findRepository(request.repository)
      const gone =
        repository !== undefined &&
        (await blobs.unlink(repository.id, digest, { principal: principalId(request.principal), address: request.address }))
      if (!gone) throw new LazaretError('BLOB_UNKNOWN', `${request.repository} holds no blob ${digest}`)
      return { status: 202, headers: { 'docker-content-digest': digest } }
    },
  }
}

/** A wrong digest has ended it already. */
function ended(error: unknown): void {
  if (!(error instanceof LazaretError) || error.code !== 'BLOB_UPLOAD_UNKNOWN') throw error
}

/**
 * OCI distribution-spec, "Mounting a blob from another repository"; without `from`, from wherever the caller may read it.
 * Out: undefined where an upload must begin instead, whatever the reason: it must not tell what exists.
 */
async function tryMount(parts: BlobPushParts, request: OciRequest, mount: string): Promise<Blob | undefined> {
  const digest = wantDigest(mount)
  const blob = await parts.blobs.findAnywhere(digest)
  if (blob === undefined || blob.damagedAt !== null) return undefined
  for (const repository of await sourcesOf(parts, request, digest)) {
    if (repository.name !== request.repository && !(await parts.mayTake(request, repository, digest))) continue
    return parts.records.write(async (tx) => {
      if ((await holdBlob(tx, digest))?.id !== blob.id) return undefined
      const still = await tx
        .selectFrom('blob_links')
        .select('blob_id')
        .where('repository_id', '=', repository.id)
        .where('blob_id', '=', blob.id)
        .executeTakeFirst()
      if (still === undefined) return undefined
      await linkBlob(tx, (await ensureRepository(tx, request.repository, parts.now())).id, blob.id, parts.now())
      return blob
    })
  }
  return undefined
}

/** Where to take it from: the named repository, else the first of those that the caller's grants reach, this one before others. */
async function sourcesOf(parts: BlobPushParts, request: OciRequest, digest: Digest): Promise<Repository[]> {
  const from = request.query.get('from') ?? ''
  if (from !== '') {
    const named = await parts.findRepository(from)
    return named !== undefined && (await parts.blobs.find(from, digest)) !== undefined ? [named] : []
  }
  const linked = await parts.blobs.linkedBy(digest)
  const reached = linked.filter(({ name }) => granted(request.principal, 'pull', name) || granted(request.principal, 'push', name))
  return reached.toSorted((a, b) => Number(b.name === request.repository) - Number(a.name === request.repository)).slice(0, mostSources)
}

function created(request: OciRequest, blob: Blob): Answer {
  return {
    status: 201,
    headers: { location: `/v2/${request.repository}/blobs/${blob.digest}`, 'docker-content-digest': blob.digest, 'content-length': '0' },
  }
}

function accepted(request: OciRequest, id: string, received: number): Answer {
  return {
    status: 202,
    headers: {
      location: `/v2/${request.repository}/blobs/uploads/${id}`,
      range: `0-${Math.max(received - 1, 0)}`,
      'docker-upload-uuid': id,
      'oci-chunk-min-length': '1',
      'content-length': '0',
    },
  }
}

function wantDigest(text: string | null): Digest {
  const digest = parseDigest(text)
  if (digest === undefined)
    throw new LazaretError('DIGEST_INVALID', `${JSON.stringify((text ?? '').slice(0, 140))} is not a sha256 or sha512 digest`)
  return digest
}

/** `Content-Range: <start>-<end>`, both included (OCI's form, without a unit). */
function chunkRange(request: OciRequest): { start: number; end: number } | undefined {
  const text = headerOf(request, 'content-range')
  if (text === undefined) return undefined
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(text)
  const start = Number(match?.[1])
  const end = Number(match?.[2])
  if (match === null || end < start)
    throw new LazaretError('BLOB_UPLOAD_INVALID', `Content-Range ${JSON.stringify(text.slice(0, 60))} is not START-END`)
  return { start, end }
}

function chunkStart(request: OciRequest): number | undefined {
  return chunkRange(request)?.start
}

/** The body, held to the length that its Content-Range promised. */
function sized(request: OciRequest): AsyncIterable<Buffer> {
  const range = chunkRange(request)
  if (range === undefined) return request.body
  const length = headerOf(request, 'content-length')
  const promised = range.end - range.start + 1
  if (length !== undefined && Number(length) !== promised) {
    throw new LazaretError('BLOB_UPLOAD_INVALID', `Content-Range promises ${promised} bytes, Content-Length ${length}`)
  }
  return exactly(request.body, promised)
}

/** A body in pieces (Transfer-Encoding) has no length to compare before. */
async function* exactly(body: AsyncIterable<Buffer>, promised: number): AsyncGenerator<Buffer> {
  let left = promised
  for await (const chunk of body) {
    if (chunk.length > left)
      throw new LazaretError('BLOB_UPLOAD_INVALID', `more came than the ${promised} bytes that Content-Range promises`)
    left -= chunk.length
    yield chunk
  }
  if (left > 0) throw new LazaretError('BLOB_UPLOAD_INVALID', `${promised - left} bytes came, where Content-Range promises ${promised}`)
}

/** A chunk out of order is told how far the upload has come. */
async function outOfOrder<T>(request: OciRequest, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const received = error instanceof LazaretError ? (error.detail as { received?: number } | undefined)?.received : undefined
    if (!(error instanceof LazaretError) || error.code !== 'BLOB_UPLOAD_INVALID' || received === undefined) throw error
    throw new LazaretError(error.code, error.message, {
      detail: error.detail,
      headers: { location: `/v2/${request.repository}/blobs/uploads/${request.reference}`, range: `0-${Math.max(received - 1, 0)}` },
      cause: error,
    })
  }
}
