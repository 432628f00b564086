// Images as copies of models: each has a build of its own in its application's layer, and so its own digests. What the server found in
// the model holds for the copy once the digests are put in their place; check.ts finds it anew for a sample.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { zstdCompressSync } from 'node:zlib'
import { sha256 } from '../../test/support/content.ts'
import type { Model } from './models.ts'

export interface WrittenImage {
  repositoryId: number
  repository: string
  tag: string
  manifestId: number
  digest: string
  layerDigest: string
  by: string
}

interface Known {
  id: number
  bases: Set<number>
}

/** In: the records, and the folder of blobs. What it writes is what a push, an inventory, an examination and a verdict do. */
export function imageWriter(db: DatabaseSync, blobs: string, seed: number) {
  const insert = statements(db)
  const repositories = new Map<string, Known>()
  let made = 0

  function repositoryOf(name: string, at: number): Known {
    const known = repositories.get(name)
    if (known !== undefined) return known
    const one = { id: Number(insert.repository.run(name, at).lastInsertRowid), bases: new Set<number>() }
    repositories.set(name, one)
    return one
  }

  /** Out: its id. */
  function blob(repository: Known, digest: string, bytes: Buffer, at: number): void {
    const key = createHash('sha256').update(`object of ${digest}`).digest('hex').slice(0, 32)
    writeFileSync(join(blobs, key.slice(0, 2), key), bytes, { mode: 0o600 })
    const { lastInsertRowid } = insert.blob.run(digest, bytes.length, key, at, at)
    insert.blobLink.run(repository.id, lastInsertRowid, at)
  }

  function write(name: string, tag: string, model: Model, at: number): WrittenImage {
    const repository = repositoryOf(name, at)
    const build = createHash('sha256').update(`build ${seed} ${made++}`).digest('hex')
    const tar = Buffer.from(model.tar)
    tar.write(build, model.buildOffset)
    const layerDigest = sha256(tar)
    const config = Buffer.from(model.config.replaceAll(model.layerDigest, layerDigest))
    const configDigest = sha256(config)
    const content = Buffer.from(model.manifest.replaceAll(model.layerDigest, layerDigest).replaceAll(model.configDigest, configDigest))
    const digest = sha256(content)
    const by = `robot:ci-${repository.id % 500}`

    blob(repository, configDigest, config, at)
    blob(repository, layerDigest, tar, at)
    if (!repository.bases.has(model.baseBlobId)) insert.blobLink.run(repository.id, model.baseBlobId, at)
    repository.bases.add(model.baseBlobId)

    const manifestId = Number(insert.manifest.run(digest, configDigest, content.length, content, at, model.manifestId).lastInsertRowid)
    const parts: [string, string][] = [
      [configDigest, model.configDigest],
      [model.baseDigest, model.baseDigest],
      [layerDigest, model.layerDigest],
    ]
    for (const [part, like] of parts) {
      insert.manifestBlob.run(manifestId, part, model.manifestId, like)
      insert.holder.run(repository.id, part, manifestId)
    }
    insert.link.run(repository.id, manifestId, at, by)

    const facts = model.facts
      .replaceAll(model.layerDigest, layerDigest)
      .replaceAll(model.buildSha256, createHash('sha256').update(build).digest('hex'))
    insert.layer.run(layerDigest, zstdCompressSync(facts), at, model.layerDigest)
    insert.blobLayer.run(layerDigest, layerDigest, at, model.layerDigest)
    insert.blobLayer.run(configDigest, null, at, model.configDigest)

    const evidence = model.evidence
      .replaceAll(model.digest, digest)
      .replaceAll(model.layerDigest, layerDigest)
      .replace(/"examinedAt":"[^"]*"/, `"examinedAt":"${new Date(at).toISOString()}"`)
    insert.evidence.run(manifestId, zstdCompressSync(evidence), at, model.manifestId)
    insert.packages.run(manifestId, model.layerDigest, layerDigest, model.manifestId)
    insert.verdict.run(repository.id, manifestId, at, model.layerDigest, layerDigest, model.repositoryId, model.manifestId)
    return { repositoryId: repository.id, repository: name, tag, manifestId, digest, layerDigest, by }
  }

  return { write }
}

function statements(db: DatabaseSync) {
  return {
    repository: db.prepare('insert into repositories (name, created_at) values (?, ?)'),
    blob: db.prepare('insert into blobs (digest, size, object_key, created_at, verified_at) values (?, ?, ?, ?, ?)'),
    blobLink: db.prepare('insert into blob_links (repository_id, blob_id, linked_at, checked) values (?, ?, ?, 1)'),
    manifest:
      db.prepare(`insert into manifests (digest, kind, media_type, artifact_type, subject, annotations, config_digest, size, content, created_at)
      select ?, kind, media_type, artifact_type, subject, annotations, ?, ?, ?, ? from manifests where id = ?`),
    manifestBlob: db.prepare(`insert into manifest_blobs (manifest_id, position, blob_digest, media_type, role)
      select ?, position, ?, media_type, role from manifest_blobs where manifest_id = ? and blob_digest = ?`),
    holder: db.prepare('insert into blob_holders (repository_id, blob_digest, manifest_id) values (?, ?, ?)'),
    link: db.prepare('insert into manifest_links (repository_id, manifest_id, pushed_at, pushed_by) values (?, ?, ?, ?)'),
    layer: db.prepare(`insert into layers (diff_id, extractors, size, facts, created_at)
      select ?, extractors, size, ?, ? from layers where diff_id = ?`),
    blobLayer: db.prepare(`insert into blob_layers (blob_digest, state, diff_id, problem, read_at, extractors)
      select ?, state, ?, problem, ?, extractors from blob_layers where blob_digest = ?`),
    evidence: db.prepare(`insert into evidence (manifest_id, revision, advisory_revision, extractors, content, examined_at)
      select ?, 1, advisory_revision, extractors, ?, ? from evidence where manifest_id = ?`),
    packages: db.prepare(`insert into image_packages (manifest_id, position, package_version_id, kind, name, version, purl, location, layer)
      select ?, position, package_version_id, kind, name, version, purl, location, replace(layer, ?, ?) from image_packages where manifest_id = ?`),
    verdict:
      db.prepare(`insert into verdicts (repository_id, manifest_id, decision, policy, policy_revision, evidence_revision, judged_at, valid_until, reasons)
      select ?, ?, decision, policy, policy_revision, 1, ?, valid_until, replace(reasons, ?, ?) from verdicts where repository_id = ? and manifest_id = ?`),
  }
}
