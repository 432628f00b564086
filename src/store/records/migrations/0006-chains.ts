import type { Kysely } from 'kysely'
import { addJob, priorities } from '../../jobs/jobs.ts'
import type { Schema } from '../schema.ts'

// image_chains: ChainIDs (store/chains.ts) of the layers of each image from its lowest up. whole: 1 on the one that is all of them. Images
// that are here already are gone over by a job, some at a time.

export const chains = {
  name: '0006-chains',
  statements: `
create table image_chains (
  manifest_id bigint not null references manifests (id) on delete cascade, depth bigint not null, chain {name} not null,
  whole bigint not null, primary key (manifest_id, depth));
create index image_chains_chain on image_chains (chain, whole, manifest_id)
`,
  async after(connection: Kysely<Schema>): Promise<void> {
    const any = await connection.selectFrom('manifests').select('id').limit(1).executeTakeFirst()
    if (any !== undefined) await addJob(connection, 'chains', '0', Date.now(), priorities.swept)
  },
}
