// One image of each kind, pushed to a server and judged by it: the year's images are copies of these.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { zstdDecompressSync } from 'node:zlib'
import { sha256 } from '../../test/support/content.ts'
import { imageOfLayers } from '../../test/support/images.ts'
import { layerOf, type Layer } from '../../test/support/layers.ts'
import { alpineBase, debianBase, npmApplication } from '../../test/support/worlds.ts'
import { basic, startLazaret, stopServer } from '../server.ts'

/** What stands in the application's layer of a model in the place of the build, which no two images share. */
export const modelBuild = 'b'.repeat(64)

export interface Model {
  repositoryId: number
  manifestId: number
  digest: string
  manifest: string
  /** Of the application's layer: a plain tar, so that its digest is its diffId too. */
  layerDigest: string
  tar: Buffer
  buildOffset: number
  buildSha256: string
  config: string
  configDigest: string
  baseBlobId: number
  baseDigest: string
  /** JSON. */
  evidence: string
  facts: string
  decision: string
}

/** In: an empty data folder. Out: the models, in a fixed order. The server has ended. */
export async function pushModels(folder: string): Promise<Model[]> {
  const server = await startLazaret(folder)
  const made: Made[] = []
  try {
    for (const [at, base] of (await bases()).entries()) {
      for (const app of applications) {
        const layer = await layerOf({ ...npmApplication(app), 'app/build.txt': modelBuild }, 'none')
        made.push({ name: `models/base-${at}`, tag: `with-${Object.keys(app).join('-')}`, base, layer })
      }
    }
    for (const one of made) await push(server.origin, one)
    for (const one of made) await judged(server.origin, one)
  } finally {
    await stopServer(server)
  }
  const records = new DatabaseSync(join(folder, 'records.sqlite'), { readOnly: true })
  try {
    return made.map((one) => modelOf(records, one))
  } finally {
    records.close()
  }
}

interface Made {
  name: string
  tag: string
  base: Layer
  layer: Layer
}

const applications = [
  { express: '4.17.1', lodash: '4.17.20' },
  { minimist: '1.2.5', debug: '4.3.4' },
  { minimist: '1.2.6', axios: '1.6.0' },
  { fastify: '5.1.0', semver: '7.6.3' },
]

const alpinePackages = [
  ['alpine-baselayout', '3.6.5-r0'],
  ['alpine-keys', '2.4-r1'],
  ['apk-tools', '2.14.4-r0'],
  ['busybox', '1.36.1-r2'],
  ['ca-certificates-bundle', '20240226-r0'],
  ['libcrypto3', '3.3.0-r', 'openssl'],
  ['libssl3', '3.3.0-r', 'openssl'],
  ['musl', '1.2.5-r0'],
  ['musl-utils', '1.2.5-r0', 'musl'],
  ['scanelf', '1.3.7-r2', 'pax-utils'],
  ['ssl_client', '1.36.1-r2', 'busybox'],
  ['zlib', '1.3.1-r1'],
] as const

const debianPackages = [
  ['base-files', '12.4+deb12u'],
  ['bash', '5.2.15-2+b'],
  ['libc6', '2.36-9+deb12u', 'glibc'],
  ['libssl3', '3.0.11-1~deb12u', 'openssl'],
  ['openssl', '3.0.11-1~deb12u'],
  ['tzdata', '2024a-0+deb12u'],
  ['zlib1g', '1:1.2.13.dfsg-', 'zlib'],
  ['perl-base', '5.36.0-7+deb12u', 'perl'],
  ['libsystemd0', '252.22-1~deb12u', 'systemd'],
  ['tar', '1.34+dfsg-1.2+deb12u'],
] as const

/** Of each month one, as base images are rebuilt: every other of Alpine and of Debian. */
async function bases(): Promise<Layer[]> {
  const layers: Layer[] = []
  for (let month = 1; month <= 12; month++) {
    const named = (month % 2 === 0 ? alpinePackages : debianPackages).map(([name, version, source]) => ({
      name,
      version: `${version}${month}`,
      ...(source === undefined ? {} : { source }),
    }))
    layers.push(await layerOf(month % 2 === 0 ? alpineBase(named, '3.20.3') : debianBase(named)))
  }
  return layers
}

async function push(origin: string, { name, tag, base, layer }: Made): Promise<void> {
  const image = imageOfLayers([base, layer])
  const at = `${origin}/v2/${name}`
  const send = async (url: string, method: string, type: string, body: Buffer) => {
    const answer = await fetch(url, { method, headers: { authorization: basic, 'content-type': type }, body: Uint8Array.from(body) })
    if (answer.status !== 201) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`)
  }
  for (const [digest, bytes] of image.blobs) await send(`${at}/blobs/uploads/?digest=${digest}`, 'POST', 'application/octet-stream', bytes)
  for (const { mediaType, bytes } of image.manifests.values()) await send(`${at}/manifests/${tag}`, 'PUT', mediaType, bytes)
}

async function judged(origin: string, { name, tag }: Made): Promise<void> {
  const answer = await fetch(`${origin}/api/v1/verdict?image=${name}:${tag}&wait=60`, { headers: { authorization: basic } })
  const verdict = (await answer.json()) as { decision?: string }
  if (!['allow', 'warn', 'deny'].includes(verdict.decision ?? '')) throw new Error(`${name}:${tag}: ${JSON.stringify(verdict)}`)
}

function modelOf(records: DatabaseSync, { name, tag, base, layer }: Made): Model {
  const held = records
    .prepare(
      `select m.id as id, r.id as repository, m.digest as digest, m.content as content, m.config_digest as config, e.content as evidence, v.decision as decision
       from repositories r join tags t on t.repository_id = r.id join manifests m on m.id = t.manifest_id
       join evidence e on e.manifest_id = m.id join verdicts v on v.manifest_id = m.id and v.repository_id = r.id
       where r.name = ? and t.name = ?`,
    )
    .get(name, tag) as {
    id: number
    repository: number
    digest: string
    content: Uint8Array
    config: string
    evidence: Uint8Array
    decision: string
  }
  const facts = records.prepare('select facts from layers where diff_id = ?').get(layer.diffId) as { facts: Uint8Array }
  const blob = records.prepare('select id from blobs where digest = ?').get(base.descriptor.digest) as { id: number }
  const config = [...imageOfLayers([base, layer]).blobs].find(([digest]) => digest === held.config)?.[1]
  if (config === undefined) throw new Error(`${name}:${tag} has another config`)
  return {
    repositoryId: held.repository,
    manifestId: held.id,
    digest: held.digest,
    manifest: Buffer.from(held.content).toString('utf8'),
    layerDigest: layer.descriptor.digest,
    tar: layer.bytes,
    buildOffset: layer.bytes.indexOf(modelBuild),
    buildSha256: sha256(Buffer.from(modelBuild)).slice('sha256:'.length),
    config: config.toString('utf8'),
    configDigest: held.config,
    baseBlobId: blob.id,
    baseDigest: base.descriptor.digest,
    evidence: zstdDecompressSync(held.evidence).toString('utf8'),
    facts: zstdDecompressSync(facts.facts).toString('utf8'),
    decision: held.decision,
  }
}
