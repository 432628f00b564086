// Clients that push without end, and remember what they were told is there.

import { randomBytes, randomInt } from 'node:crypto'
import { descriptorOf, sha256 } from '../support/content.ts'
import type { Lazaret } from '../support/lazaret.ts'

/** What a 201 was received for. Blobs and manifests by digest; a tag has one of the digests, as the last push of it may have been cut off. */
export interface Acknowledged {
  blobs: Map<string, Buffer>
  manifests: Map<string, Buffer>
  tags: Map<string, Set<string>>
}

export const repository = 'shop/load'
const scope = `repository:${repository}:pull,push`
const manifestType = 'application/vnd.oci.image.manifest.v1+json'

export function nothingYet(): Acknowledged {
  return { blobs: new Map(), manifests: new Map(), tags: new Map() }
}

export type Send = (method: string, path: string, body?: Buffer, type?: string) => Promise<Response>

/** Requests with one token, as a client has during a push. */
export async function sender(server: Lazaret): Promise<Send> {
  const token = await server.protocol(server.developer).token(scope)
  return (method, path, body, type = 'application/octet-stream') =>
    fetch(`http://${server.host}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      signal: AbortSignal.timeout(60_000),
    })
}

/** Pushes until the server is gone. In: where what was acknowledged is kept. Throws on an answer that is no success. */
export async function pushUntilGone(send: Send, known: Acknowledged, name: string, isGone: () => boolean): Promise<void> {
  for (let round = 0; ; round++) {
    try {
      await pushOne(send, known, `${name}-${round % 5}`)
    } catch (error) {
      if (isGone() && isCut(error)) return
      throw error
    }
  }
}

/** `fetch` failed, or the body broke off. */
function isCut(error: unknown): boolean {
  return error instanceof TypeError || (error as Error).name === 'AbortError' || (error as NodeJS.ErrnoException).code === 'ECONNRESET'
}

async function pushOne(send: Send, known: Acknowledged, tag: string): Promise<void> {
  const config = Buffer.from(
    JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, nonce: tag + randomInt(1e9) }),
  )
  const layers = Array.from({ length: randomInt(1, 4) }, () => randomBytes(randomInt(1, 300_000)))
  for (const blob of [config, ...layers]) await pushBlob(send, known, blob)
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map((layer) => descriptorOf('application/vnd.oci.image.layer.v1.tar', layer)),
    }),
  )
  const digest = sha256(manifest)
  const before = known.tags.get(tag)
  known.tags.set(tag, new Set([...(before ?? []), digest])) // under way: it may be there, or not
  await created(await send('PUT', `/v2/${repository}/manifests/${tag}`, manifest, manifestType))
  known.manifests.set(digest, manifest)
  known.tags.set(tag, new Set([digest]))
}

async function pushBlob(send: Send, known: Acknowledged, blob: Buffer): Promise<void> {
  const digest = sha256(blob)
  if (randomInt(2) === 0) await created(await send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, blob))
  else {
    const begun = await send('POST', `/v2/${repository}/blobs/uploads/`)
    const half = Math.floor(blob.length / 2)
    const first = await send('PATCH', begun.headers.get('location') ?? '', blob.subarray(0, half))
    await first.arrayBuffer()
    await created(await send('PUT', `${first.headers.get('location') ?? ''}?digest=${digest}`, blob.subarray(half)))
  }
  known.blobs.set(digest, blob)
}

async function created(answer: Response): Promise<void> {
  const text = await answer.text()
  if (answer.status !== 201) throw new Error(`${answer.status} where 201 was due: ${text.slice(0, 500)}`)
}

/** Out: what is missing or other than it was, a line each. A tag that nothing was acknowledged for may be missing. */
export async function lostOf(send: Send, known: Acknowledged): Promise<string[]> {
  const lost: string[] = []
  const same = async (path: string, digest: string) => {
    const answer = await send('GET', path)
    const body = Buffer.from(await answer.arrayBuffer())
    if (answer.status !== 200 || sha256(body) !== digest) lost.push(`${path}: ${answer.status}, ${body.length} bytes`)
  }
  for (const digest of known.manifests.keys()) await same(`/v2/${repository}/manifests/${digest}`, digest)
  for (const digest of known.blobs.keys()) await same(`/v2/${repository}/blobs/${digest}`, digest)
  for (const [tag, digests] of known.tags) {
    const answer = await send('GET', `/v2/${repository}/manifests/${tag}`)
    const digest = sha256(Buffer.from(await answer.arrayBuffer()))
    const neverTold = ![...digests].some((one) => known.manifests.has(one))
    if (!(answer.status === 200 && digests.has(digest)) && !(answer.status === 404 && neverTold))
      lost.push(`${tag}: ${answer.status} ${digest}`)
  }
  return lost
}
