// {id}: a key that the database gives. {name}: text compared byte by byte, so that pages come in one order
// everywhere. {bytes}: binary.

export const first = {
  name: '0001-first',
  statements: `
create table repositories (id {id}, name {name} not null unique, created_at bigint not null);

create table blobs (id {id}, digest {name} not null unique, size bigint not null, object_key {name} not null, created_at bigint not null);
create table blob_links (
  repository_id bigint not null references repositories (id), blob_id bigint not null references blobs (id),
  linked_at bigint not null, primary key (repository_id, blob_id));
create index blob_links_blob on blob_links (blob_id);
create table uploads (
  id {name} primary key, repository_id bigint not null references repositories (id), principal {name} not null,
  object_key {name} not null, created_at bigint not null, expires_at bigint not null);
create index uploads_expiry on uploads (expires_at);

create table manifests (
  id {id}, digest {name} not null unique, kind {name} not null, media_type text not null, artifact_type text,
  subject {name}, annotations text not null, config_digest {name}, size bigint not null, content {bytes} not null,
  created_at bigint not null);
create index manifests_subject on manifests (subject, digest);
create index manifests_config on manifests (config_digest);
create table manifest_children (
  manifest_id bigint not null references manifests (id) on delete cascade, position bigint not null, child_digest {name} not null,
  platform text, attests {name}, primary key (manifest_id, position));
create index manifest_children_child on manifest_children (child_digest);
create table manifest_blobs (
  manifest_id bigint not null references manifests (id) on delete cascade, position bigint not null, blob_digest {name} not null,
  media_type text not null, role {name} not null, primary key (manifest_id, position));
create index manifest_blobs_blob on manifest_blobs (blob_digest);
create table manifest_links (
  repository_id bigint not null references repositories (id), manifest_id bigint not null references manifests (id),
  pushed_at bigint not null, pushed_by {name} not null, primary key (repository_id, manifest_id));
create index manifest_links_manifest on manifest_links (manifest_id);
create table tags (
  repository_id bigint not null references repositories (id), name {name} not null,
  manifest_id bigint not null references manifests (id), updated_at bigint not null, updated_by {name} not null,
  primary key (repository_id, name));
create index tags_manifest on tags (manifest_id);

create table blob_layers (
  blob_digest {name} primary key, state {name} not null, diff_id {name}, problem text, read_at bigint not null);
create table layers (
  diff_id {name} not null, extractors {name} not null, size bigint not null, facts {bytes} not null, created_at bigint not null,
  primary key (diff_id, extractors));

create table package_versions (
  id {id}, ecosystem {name} not null, name {name} not null, version {name} not null, matched_revision {name},
  unique (ecosystem, name, version));
create table matches (
  package_version_id bigint not null references package_versions (id) on delete cascade, finding_id {name} not null,
  severity {name} not null, known_exploited bigint not null, finding text not null, primary key (package_version_id, finding_id));
create index matches_finding on matches (finding_id);
create table image_packages (
  manifest_id bigint not null references manifests (id) on delete cascade, position bigint not null,
  package_version_id bigint references package_versions (id), kind {name} not null, name {name} not null, version {name} not null,
  purl text not null, location text not null, layer {name} not null, primary key (manifest_id, position));
create index image_packages_version on image_packages (package_version_id);
create index image_packages_name on image_packages (name, version);
create table evidence (
  manifest_id bigint primary key references manifests (id) on delete cascade, revision bigint not null,
  advisory_revision {name} not null, extractors {name} not null, content {bytes} not null, examined_at bigint not null);
create table verdicts (
  repository_id bigint not null references repositories (id), manifest_id bigint not null references manifests (id) on delete cascade,
  decision {name} not null, policy {name} not null, policy_revision {name} not null, evidence_revision bigint not null,
  judged_at bigint not null, valid_until bigint, reasons text not null, primary key (repository_id, manifest_id));
create index verdicts_expiry on verdicts (valid_until);
create index verdicts_policy on verdicts (policy_revision);

create table users (id {id}, name {name} not null unique, password text not null, created_at bigint not null);
create table robots (id {id}, name {name} not null unique, token_hash {name} not null, created_at bigint not null, expires_at bigint);
create table grants (
  principal_kind {name} not null, principal_name {name} not null, action {name} not null, pattern {name} not null,
  primary key (principal_kind, principal_name, action, pattern));
create table audit_log (
  id {id}, at bigint not null, principal text not null, address text not null, action {name} not null, subject text not null,
  result {name} not null, detail text not null);

create table jobs (
  id {id}, kind {name} not null, subject {name} not null, state {name} not null, attempts bigint not null,
  run_after bigint not null, lease_until bigint, problem text, created_at bigint not null);
create unique index jobs_waiting on jobs (kind, subject) where state = 'waiting';
create index jobs_due on jobs (state, run_after)
`,
}
