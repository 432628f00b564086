// blob_links.checked: 0 until the collection has seen, later than the grace after linked_at, that a manifest holds the blob; 0 again
// when a manifest goes. unlinked_at: when the last link went, as far as is known: what has it set is looked at after the grace.
// verified_at: when a blob's bytes were last found to be its digest's.

export const collection = {
  name: '0004-collection',
  statements: `
alter table blob_links add column checked bigint not null default 0;
create index blob_links_unchecked on blob_links (linked_at) where checked = 0;

alter table blobs add column unlinked_at bigint;
alter table blobs add column verified_at bigint not null default 0;
alter table blobs add column damaged_at bigint;
alter table blobs add column damage text;
update blobs set verified_at = created_at;
update blobs set unlinked_at = created_at where not exists (select 1 from blob_links l where l.blob_id = blobs.id);
create index blobs_unlinked on blobs (unlinked_at) where unlinked_at is not null;
create index blobs_verified on blobs (verified_at) where damaged_at is null;
create index blobs_damaged on blobs (id) where damaged_at is not null;
create index blob_layers_diff_id on blob_layers (diff_id);

alter table manifests add column unlinked_at bigint;
update manifests set unlinked_at = created_at where not exists (select 1 from manifest_links l where l.manifest_id = manifests.id);
create index manifests_unlinked on manifests (unlinked_at) where unlinked_at is not null;
create table deleted_manifests (
  repository_id bigint not null references repositories (id), manifest_id bigint not null references manifests (id) on delete cascade,
  tags text not null, pushed_at bigint not null, pushed_by {name} not null, deleted_at bigint not null, deleted_by {name} not null,
  primary key (repository_id, manifest_id));
create index deleted_manifests_at on deleted_manifests (deleted_at);
create index deleted_manifests_manifest on deleted_manifests (manifest_id);

create table dead_objects (object_key {name} primary key, size bigint not null, died_at bigint not null);
create table collections (
  id {id}, state {name} not null, dry_run bigint not null, started_by {name} not null, started_at bigint not null,
  lease_until bigint not null, ended_at bigint, freed text not null, problem text);
create unique index collections_running on collections (state) where state = 'running'
`,
}
