// blob_holders: which manifests of a repository hold a blob. The gate asks it for every blob, and a base layer lies under
// manifests of every repository. priority: what a client waits for is done before what the whole store is done over for.

export const holders = {
  name: '0002-holders',
  statements: `
create table blob_holders (
  repository_id bigint not null references repositories (id), blob_digest {name} not null, manifest_id bigint not null,
  primary key (repository_id, blob_digest, manifest_id));
insert into blob_holders (repository_id, blob_digest, manifest_id)
  select distinct l.repository_id, b.blob_digest, b.manifest_id from manifest_links l join manifest_blobs b on b.manifest_id = l.manifest_id;
create index tags_newest on tags (repository_id, updated_at);

alter table blob_layers add column extractors {name};

alter table jobs add column priority bigint not null default 0;
drop index jobs_due;
create index jobs_next on jobs (state, priority, run_after, id);
create index jobs_leases on jobs (state, lease_until)
`,
}
