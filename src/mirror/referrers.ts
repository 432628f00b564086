import { createHash } from 'node:crypto'
import { LazaretError } from '../kit/errors.ts'
import { digestAlgorithm, parseDigest, shortDigest, type Digest } from '../model/digest.ts'
import { mediaTypes } from '../model/manifest.ts'
import { boundedBytes, jsonObject, type RegistryClient } from './registry-client.ts'

export interface Referrer {
  digest: Digest
  artifactType: string
}

const mostListBytes = 4 * 1024 * 1024
const mostManifestBytes = 4 * 1024 * 1024
const mostReferrers = 1000

/**
 * In: a client of the repository, its name, and a manifest's digest. Out: what refers to it, in the order of the registry; by the tag
 * `sha256-HEX` where the registry has no such list. distribution-spec 1.1, "Listing Referrers" and "Referrers Tag Schema".
 */
export async function referrersOf(client: RegistryClient, repository: string, subject: Digest): Promise<Referrer[]> {
  const answer = await listed(client, repository, subject)
  if (answer === undefined) return []
  const { manifests } = jsonObject((await boundedBytes(answer, mostListBytes)).toString('utf8'), 'the list of referrers')
  if (!Array.isArray(manifests)) throw new LazaretError('UNREADABLE', 'the list of referrers has no manifests')
  return (manifests as unknown[]).slice(0, mostReferrers).flatMap((entry) => {
    const { digest: text, artifactType } = (entry ?? {}) as { digest?: unknown; artifactType?: unknown }
    const digest = parseDigest(text)
    return digest === undefined || typeof artifactType !== 'string' ? [] : [{ digest, artifactType }]
  })
}

async function listed(client: RegistryClient, repository: string, subject: Digest): Promise<Response | undefined> {
  const accept = { accept: mediaTypes.ociIndex }
  for (const path of [`referrers/${subject}`, `manifests/${subject.replace(':', '-')}`]) {
    try {
      return await client.get(`/v2/${repository}/${path}`, accept)
    } catch (error) {
      if (!(error instanceof LazaretError) || error.code !== 'NOT_FOUND') throw error
    }
  }
  return undefined
}

/**
 * In: the digest of an artifact's manifest, and the most bytes that its first layer may have. Out: that layer's bytes, held to its
 * digest. Throws UNREADABLE where it has none or the bytes are others, LIMIT_EXCEEDED.
 */
export async function artifactBytes(client: RegistryClient, repository: string, digest: Digest, most: number): Promise<Buffer> {
  const path = `/v2/${repository}`
  const manifest = held(
    await boundedBytes(await client.get(`${path}/manifests/${digest}`, { accept: mediaTypes.ociManifest }), mostManifestBytes),
    digest,
  )
  const { layers } = jsonObject(manifest.toString('utf8'), 'the manifest of the artifact')
  const [first] = Array.isArray(layers) ? (layers as unknown[]) : []
  const blob = parseDigest(((first ?? {}) as { digest?: unknown }).digest)
  if (blob === undefined) throw new LazaretError('UNREADABLE', `the artifact ${shortDigest(digest)} has no layer`)
  return held(await boundedBytes(await client.get(`${path}/blobs/${blob}`), most), blob)
}

function held(bytes: Buffer, digest: Digest): Buffer {
  const algorithm = digestAlgorithm(digest)
  const found = `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
  if (found !== digest) throw new LazaretError('UNREADABLE', `asked for ${shortDigest(digest)}, got ${found.slice(0, 19)}`)
  return bytes
}
