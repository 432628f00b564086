// advisory_estate: one row. revision: that of the advisories up to which every evidence is right. moving: the one that it is being
// brought to; evidence that is kept meanwhile by another is looked at again.
// rematches: images to be looked at for it. since: the revision up to which the evidence was right; whole: 1 where it is made anew from
// the facts of the layers; dated: 1 where only the age of the advisories moved; rank: 0 for what is in use.
// advisory_changes: what came with a revision, and what it did. verdict_moves: without foreign keys, as it tells of what may be gone.

export const changes = {
  name: '0007-changes',
  statements: `
create table advisory_estate (id bigint primary key, revision {name}, moving {name});
create table advisory_changes (
  id {id}, from_revision {name}, to_revision {name} not null, state {name} not null, noticed_at bigint not null, ended_at bigint,
  came text not null, versions bigint not null default 0, versions_moved bigint not null default 0,
  images bigint not null default 0, images_moved bigint not null default 0);
create index advisory_changes_state on advisory_changes (state, id);
create index advisory_changes_to on advisory_changes (to_revision, id);
create table rematches (
  manifest_id bigint primary key references manifests (id) on delete cascade, since {name} not null, whole bigint not null,
  dated bigint not null, rank bigint not null, change_id bigint not null);
create index rematches_next on rematches (whole, rank, manifest_id);
create index rematches_change on rematches (change_id);
create table verdict_moves (
  id {id}, repository_id bigint not null, digest {name} not null, from_decision {name} not null, to_decision {name} not null,
  moved_at bigint not null, change_id bigint, reason text);
create index verdict_moves_image on verdict_moves (repository_id, digest, id);
create index verdict_moves_change on verdict_moves (change_id, id);
create index verdict_moves_at on verdict_moves (moved_at);
alter table verdicts add column stale bigint not null default 0;
create index verdicts_stale on verdicts (manifest_id) where stale = 1;
update verdicts set stale = 1 where reasons like '%"rule":"stale"%';
create index evidence_extractors on evidence (extractors, manifest_id);
create index image_packages_holders on image_packages (package_version_id, manifest_id);
drop index image_packages_version
`,
}
