import type { Kysely } from 'kysely'
import { chainEarlierRows } from '../../audit-chain.ts'
import type { Schema } from '../schema.ts'

// previous, hash: the audit log's rows hang together (store/audit-chain.ts draws it); rows from before are chained as they stand.
// tag_moves, pulls: kept by digest and without foreign keys, as they tell of what may be gone. pulled_at: the latest of the pulls.

export const ledger = {
  name: '0005-ledger',
  statements: `
alter table audit_log add column previous {name} not null default '';
alter table audit_log add column hash {name} not null default '';
create table audit_chain (
  id bigint primary key, anchor_id bigint not null, anchor_hash {name} not null, head_id bigint not null, head_hash {name} not null);

create table tag_moves (
  id {id}, repository_id bigint not null, tag {name} not null, from_digest {name}, to_digest {name}, moved_at bigint not null,
  moved_by {name} not null, way {name} not null);
create index tag_moves_tag on tag_moves (repository_id, tag, id);

create table pulls (
  repository_id bigint not null, digest {name} not null, tag {name} not null, principal {name} not null, address {name} not null,
  count bigint not null, first_at bigint not null, last_at bigint not null,
  primary key (repository_id, digest, tag, principal, address));
create index pulls_newest on pulls (repository_id, digest, last_at);
create index pulls_oldest on pulls (last_at);
alter table manifest_links add column pulled_at bigint;

create table repository_settings (match {name} primary key, settings text not null, updated_at bigint not null, updated_by {name} not null)
`,
  after: (connection: Kysely<Schema>) => chainEarlierRows(connection),
}
