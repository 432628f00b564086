// The tables, as Kysely sees them. migrations/ makes them; docs/architecture.md draws how they hang together.
// Times are milliseconds since 1970; JSON is text; flags are 0 or 1. Rows have the same types over both databases.
import type { Generated } from 'kysely'

export interface Schema {
  meta: { key: string; value: string }
  repositories: { id: Generated<number>; name: string; created_at: number }
  blobs: {
    id: Generated<number>
    digest: string
    size: number
    object_key: string
    created_at: number
    unlinked_at: number | null
    verified_at: Generated<number>
    damaged_at: number | null
    damage: string | null
  }
  blob_links: { repository_id: number; blob_id: number; linked_at: number; checked: Generated<number> }
  dead_objects: { object_key: string; size: number; died_at: number }
  deleted_manifests: {
    repository_id: number
    manifest_id: number
    tags: string
    pushed_at: number
    pushed_by: string
    deleted_at: number
    deleted_by: string
  }
  collections: {
    id: Generated<number>
    state: string
    dry_run: number
    started_by: string
    started_at: number
    lease_until: number
    ended_at: number | null
    freed: string
    problem: string | null
  }
  uploads: {
    id: string
    repository_id: number
    principal: string
    object_key: string
    created_at: number
    expires_at: number
  }
  manifests: {
    id: Generated<number>
    digest: string
    kind: string
    media_type: string
    artifact_type: string | null
    subject: string | null
    annotations: string
    config_digest: string | null
    size: number
    content: Uint8Array
    created_at: number
    unlinked_at: number | null
  }
  manifest_children: { manifest_id: number; position: number; child_digest: string; platform: string | null; attests: string | null }
  manifest_blobs: { manifest_id: number; position: number; blob_digest: string; media_type: string; role: string }
  blob_holders: { repository_id: number; blob_digest: string; manifest_id: number }
  manifest_links: {
    repository_id: number
    manifest_id: number
    pushed_at: number
    pushed_by: string
    /** The latest pull that is on record. */
    pulled_at: Generated<number | null>
  }
  tags: { repository_id: number; name: string; manifest_id: number; updated_at: number; updated_by: string }
  blob_layers: {
    blob_digest: string
    state: string
    diff_id: string | null
    problem: string | null
    read_at: number
    extractors: string | null
  }
  layers: { diff_id: string; extractors: string; size: number; facts: Uint8Array; created_at: number }
  image_chains: { manifest_id: number; depth: number; chain: string; whole: number }
  package_versions: { id: Generated<number>; ecosystem: string; name: string; version: string; matched_revision: string | null }
  matches: { package_version_id: number; finding_id: string; severity: string; known_exploited: number; finding: string }
  image_packages: {
    manifest_id: number
    position: number
    package_version_id: number | null
    kind: string
    name: string
    version: string
    purl: string
    location: string
    layer: string
  }
  evidence: {
    manifest_id: number
    revision: number
    advisory_revision: string
    extractors: string
    content: Uint8Array
    examined_at: number
  }
  verdicts: {
    repository_id: number
    manifest_id: number
    decision: string
    policy: string
    policy_revision: string
    evidence_revision: number
    judged_at: number
    valid_until: number | null
    reasons: string
    /** 1: the age of the advisories is among the reasons. */
    stale: Generated<number>
  }
  verdict_moves: {
    id: Generated<number>
    repository_id: number
    digest: string
    from_decision: string
    to_decision: string
    moved_at: number
    /** The change of advisories that did it. */
    change_id: number | null
    reason: string | null
  }
  advisory_estate: { id: number; revision: string | null; moving: string | null }
  advisory_changes: {
    id: Generated<number>
    from_revision: string | null
    to_revision: string
    state: string
    noticed_at: number
    ended_at: number | null
    came: string
    versions: Generated<number>
    versions_moved: Generated<number>
    images: Generated<number>
    images_moved: Generated<number>
  }
  rematches: { manifest_id: number; since: string; whole: number; dated: number; rank: number; change_id: number }
  users: { id: Generated<number>; name: string; password: string; created_at: number }
  robots: { id: Generated<number>; name: string; token_hash: string; created_at: number; expires_at: number | null }
  grants: { principal_kind: string; principal_name: string; action: string; pattern: string }
  audit_log: {
    id: Generated<number>
    at: number
    principal: string
    address: string
    action: string
    subject: string
    result: string
    detail: string
    previous: string
    hash: string
  }
  audit_chain: { id: number; anchor_id: number; anchor_hash: string; head_id: number; head_hash: string }
  tag_moves: {
    id: Generated<number>
    repository_id: number
    tag: string
    from_digest: string | null
    to_digest: string | null
    moved_at: number
    moved_by: string
    way: string
  }
  pulls: {
    repository_id: number
    digest: string
    /** Empty: by digest alone. */
    tag: string
    principal: string
    address: string
    count: number
    first_at: number
    last_at: number
  }
  repository_settings: { match: string; settings: string; updated_at: number; updated_by: string }
  jobs: {
    id: Generated<number>
    kind: string
    subject: string
    state: string
    attempts: number
    run_after: number
    lease_until: number | null
    problem: string | null
    created_at: number
    priority: Generated<number>
  }
}
