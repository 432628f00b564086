// A registry with things in it, and what must be the same in another that was restored from its backup.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { openRecords } from '../../src/store/records/open.ts'
import type { Records } from '../../src/store/records/records.ts'
import { type Acknowledged, nothingYet, repository, type Send } from '../durability/load.ts'
import { descriptorOf, sha256 } from '../support/content.ts'
import { type Lazaret, launcher } from '../support/lazaret.ts'
import { type Outcome, run } from '../support/run.ts'

export const manifestType = 'application/vnd.oci.image.manifest.v1+json'

/** Pushes images with a tag each, which share a layer. Out: what was acknowledged. */
export async function pushSome(send: Send, count: number, name = 'kept'): Promise<Acknowledged> {
  const known = nothingYet()
  const base = randomBytes(50_000)
  for (let at = 0; at < count; at++) {
    const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, name, at }))
    const layers = [base, randomBytes(1 + at * 1000)]
    for (const blob of [config, ...layers]) {
      assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)).status, 201)
      known.blobs.set(sha256(blob), blob)
    }
    const manifest = manifestOf(config, layers)
    assert.equal((await send('PUT', `/v2/${repository}/manifests/${name}-${at}`, manifest, manifestType)).status, 201)
    known.manifests.set(sha256(manifest), manifest)
    known.tags.set(`${name}-${at}`, new Set([sha256(manifest)]))
  }
  return known
}

export function manifestOf(config: Buffer, layers: Buffer[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
      layers: layers.map((layer) => descriptorOf('application/vnd.oci.image.layer.v1.tar', layer)),
    }),
  )
}

/** `lazaret ARGS…` with a data folder, and a database where one is given. */
export function lazaretOn(data: string, database: string | undefined, ...args: string[]): Promise<Outcome> {
  return run(launcher, args, { env: { LAZARET_DATA: data, ...(database === undefined ? {} : { LAZARET_DATABASE: database }) } })
}

export function dataOf(server: Lazaret): string {
  return join(server.folder, 'data')
}

export async function withRecords<T>(data: string, database: string | undefined, work: (records: Records) => Promise<T>): Promise<T> {
  const records = await openRecords(data, database)
  try {
    return await work(records)
  } finally {
    await records.close()
  }
}

/** Rows that a restore must bring back one by one; those of uploads, of dead objects and of runs are not among them. */
export async function rowsOf(records: Records): Promise<Record<string, unknown[]>> {
  const tables = {
    repositories: ['id', 'name', 'created_at'],
    blobs: ['id', 'digest', 'size', 'object_key', 'created_at'],
    blob_links: ['repository_id', 'blob_id'],
    manifests: ['id', 'digest', 'media_type', 'size', 'content'],
    manifest_blobs: ['manifest_id', 'position', 'blob_digest', 'role'],
    blob_holders: ['repository_id', 'blob_digest', 'manifest_id'],
    manifest_links: ['repository_id', 'manifest_id', 'pushed_at', 'pushed_by'],
    tags: ['repository_id', 'name', 'manifest_id', 'updated_at'],
    tag_moves: ['id', 'tag', 'from_digest', 'to_digest', 'moved_by'],
    users: ['id', 'name', 'password'],
    robots: ['id', 'name', 'token_hash'],
    grants: ['principal_kind', 'principal_name', 'action', 'pattern'],
    verdicts: ['repository_id', 'manifest_id', 'decision', 'reasons'],
    evidence: ['manifest_id', 'revision', 'content'],
    layers: ['diff_id', 'facts'],
    package_versions: ['id', 'ecosystem', 'name', 'version'],
  } as const
  const rows: Record<string, unknown[]> = {}
  for (const [table, columns] of Object.entries(tables)) {
    const found = await records.read
      .selectFrom(table as 'users')
      .select(columns as unknown as 'id'[])
      .execute()
    rows[table] = found.map((row) => JSON.stringify(row, (_, value: unknown) => plain(value))).toSorted()
  }
  return rows
}

/** Both databases hand out bytes in classes of their own. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  const buffer = value as { type?: unknown; data?: number[] }
  return buffer.type === 'Buffer' && Array.isArray(buffer.data) ? Buffer.from(buffer.data).toString('hex') : value
}
