// Advisories of these tests alone: what is judged here does not change with the bundled snapshot.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { importAdvisories } from '../../../src/advisories/import.ts'

const critical = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'

interface Flaw {
  id: string
  name: string
  fixed?: string
}

/** `balanced` denies the first and the last, and warns of the second. */
export const flaws = {
  critical: { id: 'CVE-2026-90001', name: 'flawed-parser', fixed: '2.0.0' },
  unfixed: { id: 'CVE-2026-90002', name: 'abandoned-parser' },
  malicious: { id: 'MAL-2026-90003', name: 'stolen-parser' },
} satisfies Record<string, Flaw>

/** In: the data folder of a server that does not run. Puts these advisories, and no others, in force. */
export function layAdvisories(dataFolder: string): Promise<void> {
  return importFlaws(dataFolder, Object.values(flaws))
}

/** The world has learned of a flaw: in force at the next start. */
export async function importFlaws(dataFolder: string, news: readonly Flaw[]): Promise<void> {
  await mkdir(dataFolder, { recursive: true, mode: 0o700 })
  const path = join(dataFolder, `news-${crypto.randomUUID()}.json`)
  await writeFile(path, news.map((flaw) => JSON.stringify(osvOf(flaw))).join('\n'))
  const coverage = [{ ecosystem: 'npm', depth: 'whole', asOf: new Date().toISOString(), note: 'these tests' }] as const
  await importAdvisories([path], dataFolder, { bundled: false, coverage })
}

function osvOf({ id, name, fixed }: Flaw): object {
  const events = [{ introduced: '0' }, ...(fixed === undefined ? [] : [{ fixed }])]
  return {
    schema_version: '1.7.0',
    id,
    published: '2026-11-01T00:00:00Z',
    modified: new Date().toISOString(),
    severity: [{ type: 'CVSS_V3', score: critical }],
    affected: [{ package: { ecosystem: 'npm', name }, ranges: [{ type: 'SEMVER', events }] }],
  }
}
