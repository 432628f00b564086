import { LazaretError } from '../kit/errors.ts'
import { headerOf, type Answer, type OciRequest } from '../kit/http.ts'
import { granted, principalId } from '../model/access.ts'
import { parseDigest, type Digest } from '../model/digest.ts'
import { isTag } from '../model/names.ts'
import type { Decision, Reason } from '../model/verdict.ts'
import type { Blobs, LinkedBlob } from '../store/blobs/blobs.ts'
import type { HeldManifest, Manifests } from '../store/manifests/manifests.ts'
import type { Pull } from '../store/pulls.ts'
import type { Repository } from '../store/repositories.ts'
import type { VerdictWaiters } from '../store/verdicts.ts'
import { blobAnswer } from './ranges.ts'
import { bestPassage, mayLook, mayLookForBlobs, passageOf, type Passage } from './standing.ts'
import { cacheLine, heldLine, pendingLine, unheldLine, warningOf } from './words.ts'

/** The read half of the OCI API: ask for the verdict, then stream. Rights to the repository were checked before. */
export interface Gate {
  getManifest(request: OciRequest): Promise<Answer>
  headManifest(request: OciRequest): Promise<Answer>
  getBlob(request: OciRequest): Promise<Answer>
  headBlob(request: OciRequest): Promise<Answer>
  /**
   * Whether a blob may leave that repository by a mount. Never waits. By the grants: a token is made for the target, and an
   * anonymous mount can't name its source in a scope.
   */
  mayTake(request: OciRequest, from: Repository, digest: Digest): Promise<boolean>
  /** The Warning header of a manifest that may be pulled with a warning, where it has been judged already. */
  warningOn(repository: string, digest: Digest): Promise<string | undefined>
}

export interface GateParts {
  manifests: Manifests
  blobs: Blobs
  waiters: VerdictWaiters
  findRepository: (name: string) => Promise<Repository | undefined>
  /** False under `observe`, which judges and shows, and never refuses. */
  enforcing: boolean
  waitSeconds: number
  /** How long the collection leaves a blob alone that no manifest holds. */
  graceMs: number
  /** A read that only the grant `read-quarantined` let through. Resolves when it is on record. */
  onPassedByGrant: (request: OciRequest, subject: string, standing: string) => Promise<void>
  /** A manifest that passed. Must neither throw nor take time. */
  onPulled?: (pull: Pull) => void
  /** What the gate went by. Must neither throw nor take time. */
  onDecided?: (decision: Decision | null, passage: Passage) => void
  now: () => number
}

export function createGate(parts: GateParts): Gate {
  const { manifests, blobs, enforcing, now } = parts

  async function find(request: OciRequest): Promise<HeldManifest> {
    const digest = parseDigest(request.reference)
    if (digest === undefined && !isTag(request.reference)) throw unknownManifest(request)
    const held = await (digest === undefined
      ? manifests.byTag(request.repository, request.reference)
      : manifests.byDigest(request.repository, digest))
    if (held === undefined) throw unknownManifest(request)
    return held
  }

  /** What passes at once, or after its verdict has come. Throws the refusal. */
  async function pass(request: OciRequest): Promise<HeldManifest> {
    const held = await find(request)
    const passage = passageOf(request.principal, request.repository, current(held, now()), enforcing)
    if (passage !== 'pending') return settle(request, held, passage)
    const judged = await awaitVerdict(request, held)
    if (judged === undefined) throw pending(request, held.digest)
    return settle(request, judged, passageOf(request.principal, request.repository, current(judged, now()), enforcing))
  }

  async function awaitVerdict(request: OciRequest, held: HeldManifest): Promise<HeldManifest | undefined> {
    const look = async () => {
      const standing = await manifests.standing(held.repositoryId, held.id)
      if (standing === undefined) throw unknownManifest(request)
      const again = { ...held, ...standing }
      const { decision } = current(again, now())
      return decision === null || decision === 'pending' ? undefined : again
    }
    return parts.waiters.waitFor(held.repositoryId, held.id, look, now() + parts.waitSeconds * 1000, request.signal)
  }

  async function settle(request: OciRequest, held: HeldManifest, passage: Passage): Promise<HeldManifest> {
    parts.onDecided?.(held.decision, passage)
    if (passage === 'passes') return held
    if (passage === 'passes-by-grant') {
      await parts.onPassedByGrant(request, `${request.repository}@${held.digest}`, held.decision ?? 'pending')
      return held
    }
    if (passage === 'cache') throw cacheRefusal(request)
    if (passage === 'pending') throw pending(request, held.digest)
    throw await denial(request, held.repositoryId, held.digest, reasonsOf(held.reasons))
  }

  async function denial(request: OciRequest, repositoryId: number, digest: Digest, reasons: Reason[]): Promise<LazaretError> {
    const alternatives = (await manifests.passingTags(repositoryId, 3, now())).map(({ tag, digest: passing }) => ({
      reference: `${request.repository}:${tag}`,
      digest: passing,
    }))
    const nearest = alternatives[0]?.reference
    const line = heldLine({
      repository: request.repository,
      digest,
      reasons,
      ...(nearest === undefined ? {} : { alternative: nearest }),
      tellsGrant: worksHere(request),
    })
    return new LazaretError('DENIED', line, { detail: { image: `${request.repository}@${digest}`, reasons, alternatives } })
  }

  async function passBlob(request: OciRequest, digest: Digest): Promise<void> {
    const repository = await repositoryOf(request)
    const standings = await manifests.standingsOfBlob(repository.id, digest, now())
    if (standings.length === 0) return passUnheld(request, digest)
    const { standing, passage } = bestPassage(request.principal, request.repository, standings, enforcing)
    parts.onDecided?.(standing.decision, passage)
    if (passage === 'pending') throw pending(request, standing.manifestDigest)
    if (passage === 'cache') throw cacheRefusal(request)
    if (passage === 'denied') throw await denial(request, repository.id, standing.manifestDigest, reasonsOf(standing.reasons))
    if (passage === 'passes-by-grant') {
      await parts.onPassedByGrant(request, `${request.repository}@${digest}`, standing.decision ?? 'pending')
    }
  }

  async function passUnheld(request: OciRequest, digest: Digest): Promise<void> {
    if (!enforcing) return
    if (!granted(request.principal, 'read-quarantined', request.repository)) throw unheldBlob(request, digest)
    await parts.onPassedByGrant(request, `${request.repository}@${digest}`, 'under no manifest')
  }

  async function repositoryOf(request: OciRequest): Promise<Repository> {
    const repository = await parts.findRepository(request.repository)
    if (repository === undefined) throw new LazaretError('NAME_UNKNOWN', `no repository ${request.repository}`)
    return repository
  }

  async function findBlob(request: OciRequest) {
    const digest = parseDigest(request.reference)
    if (digest === undefined) throw new LazaretError('DIGEST_INVALID', `${JSON.stringify(request.reference.slice(0, 140))} is no digest`)
    const blob = await blobs.find(request.repository, digest)
    if (blob === undefined) throw unknownBlob(request, digest)
    return blob
  }

  /** Who is told that a blob is here will not send it: it stays for half the grace at least, for the manifest to come. */
  async function keepForPush(request: OciRequest, blob: LinkedBlob): Promise<void> {
    if (now() - blob.linkedAt < parts.graceMs / 2) return
    if (!(await blobs.touch(blob))) throw unknownBlob(request, blob.digest)
  }

  return {
    async getManifest(request) {
      const held = await pass(request)
      parts.onPulled?.(pullOf(request, held, true))
      return { ...manifestHead(held, now()), body: bytesOf(held) }
    },
    async headManifest(request) {
      if (mayLook(request.principal, request.repository)) return manifestHead(await find(request), now())
      const held = await pass(request)
      parts.onPulled?.(pullOf(request, held, false))
      return manifestHead(held, now())
    },
    async getBlob(request) {
      const blob = await findBlob(request)
      await passBlob(request, blob.digest)
      if (blob.damagedAt !== null) throw damaged(request, blob.digest)
      return blobAnswer(blob, headerOf(request, 'range'), (range) => blobs.read(blob, range))
    },
    async headBlob(request) {
      const blob = await findBlob(request)
      const pushes = mayLookForBlobs(request.principal, request.repository)
      if (!pushes) await passBlob(request, blob.digest)
      if (blob.damagedAt !== null) throw pushes ? unknownBlob(request, blob.digest) : damaged(request, blob.digest)
      if (pushes) await keepForPush(request, blob)
      return blobAnswer(blob, undefined, undefined)
    },
    async warningOn(repository, digest) {
      const held = await manifests.byDigest(repository, digest)
      return held === undefined ? undefined : warningFor(held, now())
    },
    async mayTake(request, from, digest) {
      if (granted(request.principal, 'push', from.name)) return true
      if (!granted(request.principal, 'pull', from.name)) return false
      const standings = await manifests.standingsOfBlob(from.id, digest, now())
      if (standings.length === 0) return !enforcing
      return bestPassage(request.principal, from.name, standings, enforcing).passage === 'passes'
    },
  }
}

/** A verdict past its time is none: the gate waits for the new one. */
function current(held: HeldManifest, now: number): Pick<HeldManifest, 'kind' | 'decision'> {
  const expired = held.validUntil !== null && held.validUntil <= now
  return { kind: held.kind, decision: expired ? null : held.decision }
}

function pullOf(request: OciRequest, held: HeldManifest, sent: boolean): Pull {
  const { repositoryId, id: manifestId, digest } = held
  const tag = parseDigest(request.reference) === undefined ? { tag: request.reference } : {}
  return { repositoryId, manifestId, digest, ...tag, principal: principalId(request.principal), address: request.address, sent }
}

function warningFor(held: HeldManifest, now: number): string | undefined {
  return current(held, now).decision === 'warn' ? warningOf(reasonsOf(held.reasons)) : undefined
}

function manifestHead(held: HeldManifest, now: number): Answer {
  const warning = warningFor(held, now)
  return {
    status: 200,
    headers: {
      'content-type': held.mediaType,
      'content-length': String(held.sizeBytes),
      'docker-content-digest': held.digest,
      etag: `"${held.digest}"`,
      ...(warning === undefined ? {} : { warning }),
    },
  }
}

/** The row's own bytes: they are shared, and nobody changes them. */
function bytesOf({ content }: HeldManifest): Buffer {
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
}

function reasonsOf(json: string | null): Reason[] {
  return json === null ? [] : (JSON.parse(json) as Reason[])
}

/** Whoever pushes here is told which grant opens the quarantine; a puller is not. */
function worksHere(request: OciRequest): boolean {
  return granted(request.principal, 'push', request.repository) || granted(request.principal, 'delete', request.repository)
}

function pending(request: OciRequest, digest: Digest): LazaretError {
  return new LazaretError('DENIED', pendingLine(request.repository, digest, worksHere(request)), {
    detail: { image: `${request.repository}@${digest}`, reasons: [], decision: 'pending' },
    headers: { 'retry-after': '5' },
  })
}

function cacheRefusal(request: OciRequest): LazaretError {
  return new LazaretError('DENIED', cacheLine(request.repository), {
    detail: { reasons: [], decision: 'deny' },
  })
}

function unheldBlob(request: OciRequest, digest: Digest): LazaretError {
  return new LazaretError('DENIED', unheldLine(request.repository, digest), {
    detail: { reasons: [], decision: 'deny' },
  })
}

/** To who pushes, a damaged blob is one that is not here: then it is sent again, and healed. */
function unknownBlob(request: OciRequest, digest: Digest): LazaretError {
  return new LazaretError('BLOB_UNKNOWN', `${request.repository} holds no blob ${digest}`)
}

function damaged(request: OciRequest, digest: Digest): LazaretError {
  return new LazaretError('UNAVAILABLE', `blob ${digest} is damaged on this server's disk: push ${request.repository} again`, {
    status: 500,
  })
}

function unknownManifest(request: OciRequest): LazaretError {
  return new LazaretError('MANIFEST_UNKNOWN', `${request.repository} holds no ${request.reference.slice(0, 140)}`)
}
