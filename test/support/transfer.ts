// Whole contents to and from a registry, each byte held against its digest.

import { type Content, sha256 } from './content.ts'
import type { Answer, Protocol } from './protocol.ts'

type AskRegistry = Protocol['ask']

export const acceptAll = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
].join(', ')

export function pullScope(repository: string): string {
  return `repository:${repository}:pull`
}

export function expectStatus(answer: Answer, ...statuses: number[]): Answer {
  if (statuses.includes(answer.status)) return answer
  throw new Error(
    `expected ${statuses.join(' or ')}, was ${answer.status} ${answer.reason}: ${answer.body.toString('utf8').slice(0, 1000)}`,
  )
}

/** Reads a manifest, its children and all blobs. Throws where one is not there or its bytes are not its digest's. */
export async function readContent(ask: AskRegistry, repository: string, reference: string): Promise<Content> {
  const answer = await readManifest(ask, repository, reference)
  const mediaType = answer.headers.get('content-type') ?? ''
  const digest = sha256(answer.body)
  const content: Content = { root: { mediaType, digest, size: answer.body.length }, manifests: new Map(), blobs: new Map() }
  const { manifests = [], config, layers = [] } = JSON.parse(answer.body.toString('utf8')) as ManifestShape
  for (const child of manifests.filter((entry) => isManifest(entry))) merge(content, await readContent(ask, repository, child.digest))
  const blobs = [...(config === undefined ? [] : [config]), ...layers, ...manifests.filter((entry) => !isManifest(entry))]
  for (const blob of blobs) content.blobs.set(blob.digest, await readBlob(ask, repository, blob.digest))
  content.manifests.set(digest, { mediaType, bytes: answer.body })
  return content
}

/** Blobs first, by POST and PUT; then manifests, children before parents. Out: the answer to the root's PUT. */
export async function pushContent(ask: AskRegistry, repository: string, content: Content, tag?: string): Promise<Answer> {
  const scope = `repository:${repository}:pull,push`
  for (const [digest, body] of content.blobs) {
    const opened = expectStatus(await ask(`/v2/${repository}/blobs/uploads/`, { method: 'POST', scope }), 202)
    const headers = { 'content-type': 'application/octet-stream' }
    expectStatus(await ask(uploadUrl(opened, digest), { method: 'PUT', headers, body, scope }), 201)
  }
  let last: Answer | undefined
  for (const [digest, { mediaType, bytes }] of content.manifests) {
    const reference = digest === content.root.digest ? (tag ?? digest) : digest
    last = await ask(`/v2/${repository}/manifests/${reference}`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: bytes,
      scope,
    })
    if (digest !== content.root.digest) expectStatus(last, 201)
  }
  if (last === undefined) throw new Error('a content without a manifest')
  return last
}

interface ManifestShape {
  manifests?: { digest: string; mediaType: string }[]
  config?: { digest: string }
  layers?: { digest: string }[]
}

async function readManifest(ask: AskRegistry, repository: string, reference: string): Promise<Answer> {
  const answer = expectStatus(
    await ask(`/v2/${repository}/manifests/${reference}`, { headers: { accept: acceptAll }, scope: pullScope(repository) }),
    200,
  )
  const said = reference.startsWith('sha256:') ? reference : answer.headers.get('docker-content-digest')
  if (sha256(answer.body) !== said) throw new Error(`${repository}:${reference}: the manifest's bytes are not those of ${said}`)
  return answer
}

async function readBlob(ask: AskRegistry, repository: string, digest: string): Promise<Buffer> {
  const { body } = expectStatus(await ask(`/v2/${repository}/blobs/${digest}`, { scope: pullScope(repository) }), 200)
  if (sha256(body) !== digest) throw new Error(`${repository}@${digest}: the blob's bytes are those of ${sha256(body)}`)
  return body
}

function isManifest(entry: { mediaType: string }): boolean {
  return acceptAll.split(', ').includes(entry.mediaType)
}

function merge(into: Content, from: Content): void {
  for (const [digest, manifest] of from.manifests) into.manifests.set(digest, manifest)
  for (const [digest, bytes] of from.blobs) into.blobs.set(digest, bytes)
}

function uploadUrl(opened: Answer, digest: string): string {
  const location = opened.headers.get('location') ?? ''
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}
