// A store of many small blobs, of which one in ten is held by no manifest for longer than the grace.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { policies } from '../../src/judge/policy.ts'
import { sha256 } from '../../test/support/content.ts'
import { startLazaret, stopServer } from '../server.ts'
import { manifestType } from './client.ts'

export interface Collectable {
  live: { repository: string; digest: string; key: string }[]
  deadKeys: string[]
}

const heldByOne = 900
const deadByOne = 100
const dayMs = 86_400_000

/** In: an empty data folder, and how many blobs. A manifest holds 900 blobs, and 100 beside it are dead. */
export async function makeCollectable(data: string, count: number): Promise<Collectable> {
  await stopServer(await startLazaret(data))
  const db = new DatabaseSync(join(data, 'records.sqlite'), { enableForeignKeyConstraints: false })
  try {
    db.exec('pragma synchronous = off; pragma cache_size = -1000000; begin')
    const made: Collectable = { live: [], deadKeys: [] }
    const write = writer(db, join(data, 'blobs'), Date.now() - 2 * dayMs)
    for (let at = 0; at * (heldByOne + deadByOne) < count; at++) write(at, made)
    db.exec('commit; pragma wal_checkpoint(truncate)')
    return made
  } finally {
    db.close()
  }
}

function writer(db: DatabaseSync, blobs: string, at: number) {
  const insert = {
    repository: db.prepare('insert into repositories (name, created_at) values (?, ?)'),
    blob: db.prepare('insert into blobs (digest, size, object_key, created_at, verified_at) values (?, ?, ?, ?, ?)'),
    blobLink: db.prepare('insert into blob_links (repository_id, blob_id, linked_at) values (?, ?, ?)'),
    manifest: db.prepare(
      `insert into manifests (digest, kind, media_type, annotations, size, content, created_at) values (?, 'artifact', ?, '{}', ?, ?, ?)`,
    ),
    part: db.prepare(
      `insert into manifest_blobs (manifest_id, position, blob_digest, media_type, role) values (?, ?, ?, 'application/octet-stream', 'layer')`,
    ),
    holder: db.prepare('insert into blob_holders (repository_id, blob_digest, manifest_id) values (?, ?, ?)'),
    link: db.prepare(`insert into manifest_links (repository_id, manifest_id, pushed_at, pushed_by) values (?, ?, ?, 'user:admin')`),
    verdict: db.prepare(
      `insert into verdicts (repository_id, manifest_id, decision, policy, policy_revision, evidence_revision, judged_at, reasons)
       values (?, ?, 'allow', 'balanced', '${policies.balanced.revision}', 1, ?, '[]')`,
    ),
  }

  function blob(repositoryId: number, text: string): { digest: string; key: string; size: number } {
    const bytes = Buffer.from(text)
    const digest = sha256(bytes)
    const key = createHash('sha256').update(`object of ${digest}`).digest('hex').slice(0, 32)
    writeFileSync(join(blobs, key.slice(0, 2), key), bytes, { mode: 0o600 })
    insert.blobLink.run(repositoryId, insert.blob.run(digest, bytes.length, key, at, at).lastInsertRowid, at)
    return { digest, key, size: bytes.length }
  }

  return (nth: number, made: Collectable): void => {
    const repository = `kept/r-${nth}`
    const id = Number(insert.repository.run(repository, at).lastInsertRowid)
    const held = Array.from({ length: heldByOne }, (_, one) => blob(id, `held ${nth} ${one}`))
    const layers = held.map(({ digest, size }) => ({ mediaType: 'application/octet-stream', digest, size }))
    const content = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, layers }))
    const manifestId = Number(insert.manifest.run(sha256(content), manifestType, content.length, content, at).lastInsertRowid)
    insert.link.run(id, manifestId, at)
    insert.verdict.run(id, manifestId, at)
    for (const [position, { digest, key }] of held.entries()) {
      insert.part.run(manifestId, position, digest)
      insert.holder.run(id, digest, manifestId)
      made.live.push({ repository, digest, key })
    }
    for (let one = 0; one < deadByOne; one++) made.deadKeys.push(blob(id, `dead ${nth} ${one}`).key)
  }
}
