// What the OSV API answered to recorded questions must be among our findings, for every record that the data holds.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { parseOsv } from '../advisories/osv.ts'
import type { Advisory } from '../model/advisory.ts'
import { orderFor } from '../versions/compare.ts'
import { isDistribution, speaksOf } from '../versions/ecosystem.ts'
import { matchPackageVersion } from './match.ts'
import { readerOf } from './reader.testing.ts'

interface Recorded {
  query: { package?: { ecosystem?: string; name?: string }; version?: string }
  ids: string[]
  suspect?: unknown
}

interface Question {
  ecosystem: string
  name: string
  version: string
  ids: string[]
}

const shared = new URL('../../../shared/data/', import.meta.url)
const absent = existsSync(shared) ? false : 'left out: the shared advisories and recorded answers are not there'

test('recorded answers of the OSV API are among the findings', { skip: absent }, () => {
  const advisories = sharedAdvisories()
  const reader = readerOf({ advisories: [...advisories.values()] })
  const missing: string[] = []
  let expected = 0
  for (const { ecosystem, name, version, ids } of questions()) {
    const found = new Set(matchPackageVersion({ ecosystem, name, version }, reader).flatMap(({ sources }) => sources.map(({ id }) => id)))
    const held = ids.filter(
      (id) => advisories.get(id)?.affected.some((entry) => speaksOf(entry.ecosystem, ecosystem) && entry.name === name) === true,
    )
    expected += held.length
    for (const id of held) if (!found.has(id)) missing.push(`${id} in ${ecosystem} ${name} ${version}`)
  }
  assert.deepEqual(missing, [])
  assert.ok(expected >= 300, `only ${expected} answers are about records in the data`)
})

/** The newest of each record, withdrawn ones too: the reader's caller leaves those out by itself. */
function sharedAdvisories(): Map<string, Advisory> {
  const newest = new Map<string, Advisory>()
  for (const file of readdirSync(new URL('advisories/', shared)).filter((name) => name.endsWith('.osv.jsonl.zst'))) {
    for (const record of linesOf(`advisories/${file}`)) {
      const result = parseOsv(record, { source: file, now: new Date() })
      if (!('advisory' in result)) continue
      const { advisory } = result
      if ((newest.get(advisory.id)?.modified ?? '') <= (advisory.modified ?? '')) newest.set(advisory.id, advisory)
    }
  }
  return newest
}

/** Those with a package and a version, of ecosystems that can be compared here; a distribution needs its release. */
function questions(): Question[] {
  return (linesOf('groundtruth/osv-api.jsonl.zst') as Recorded[]).flatMap(({ query, ids, suspect }) => {
    const { ecosystem = '', name } = query.package ?? {}
    if (suspect !== undefined || name === undefined || query.version === undefined || orderFor(ecosystem) === undefined) return []
    return isDistribution(ecosystem) && !ecosystem.includes(':') ? [] : [{ ecosystem, name, version: query.version, ids }]
  })
}

function linesOf(path: string): unknown[] {
  return zstdDecompressSync(readFileSync(new URL(path, shared)))
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}
