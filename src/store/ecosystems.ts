import { sql } from 'kysely'
import type { Records } from './records/records.ts'

/** Out: those of which packages are held, each once and in order: by one look into the index for each, however many rows it has. */
export async function storedEcosystems(records: Records): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`with recursive found(name) as (
    select (select min(ecosystem) from package_versions)
    union all select (select min(ecosystem) from package_versions where ecosystem > found.name) from found where found.name is not null)
    select name from found where name is not null`.execute(records.read)
  return rows.map(({ name }) => name)
}
