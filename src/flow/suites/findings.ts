import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { KyselyPlugin } from 'kysely'
import type { Grant, Principal } from '../../model/access.ts'
import type { Records, Tx } from '../../store/records/records.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { type FindingQuery, listFindings } from '../queries/findings.ts'
import { finding } from './world.ts'

/** What is listed of findings over the whole store, and what it asks of the records. */
export function findingsSuite(implementation: string, open: OpenRecords): void {
  describe(`findings over ${implementation}`, () => {
    test('a page is two queries, however many findings and images', async () => {
      const records = await open()
      await hold(records, { packages: 60, images: 5, repository: 'team/app' })
      const { counted, queries } = counting(records)
      const page = await listFindings(counted, someone('pull', 'team/**'), { limit: 50 })
      assert.equal(page.items.length, 50)
      assert.ok(page.items.every(({ images }) => images.length === 5))
      assert.equal(queries(), 2)
      const rest = await listFindings(counted, someone('pull', 'team/**'), { limit: 50, after: page.next ?? assert.fail() })
      assert.equal(rest.items.length, 10)
      assert.equal(rest.next, undefined)
      const all = [...page.items, ...rest.items].map((item) => item.packageName)
      assert.equal(new Set(all).size, 60)
    })

    test('only what the caller may pull is shown, and a finding in nothing of theirs is not', async () => {
      const records = await open()
      await hold(records, { packages: 3, images: 2, repository: 'team/app' })
      await hold(records, { packages: 3, images: 2, repository: 'team' })
      await hold(records, { packages: 3, images: 1, repository: 'teams/other' })
      await hold(records, { packages: 5, images: 1, repository: 'secret/app', from: 3 })
      const shown = async (who: Principal, query: Partial<FindingQuery> = {}) =>
        (await listFindings(records, who, { limit: 100, ...query })).items.map(({ packageName, images }) => [
          packageName,
          [...new Set(images.map((image) => image.repository))].join(),
        ])
      const three = (names: string) => ['p000', 'p001', 'p002'].map((name) => [name, names])
      assert.deepEqual(await shown(someone('pull', 'team/**')), three('team,team/app'))
      assert.deepEqual(await shown(someone('pull', 'team/*')), three('team/app'))
      assert.deepEqual(await shown(someone('read-quarantined', 'team')), three('team'))
      assert.deepEqual(await shown(someone('push', '**')), [])
      assert.deepEqual(await shown({ ...someone('pull', '**'), grants: [] }), [])
      assert.equal((await shown(someone('admin', ''))).length, 8)
      const except: Grant = { action: 'pull', pattern: '**', except: ['secret/**', 'team/**'] }
      assert.deepEqual(await shown({ kind: 'anonymous', name: 'anonymous', grants: [except] }), three('teams/other'))
      const scoped = { ...someone('pull', '**'), scope: new Map([['team/app', new Set(['pull'])]]) }
      assert.deepEqual(await shown(scoped), three('team/app'))
      assert.deepEqual(await shown(someone('pull', '**'), { package: 'p004' }), [['p004', 'secret/app']])
      assert.deepEqual(await shown(someone('pull', '**'), { id: 'CVE-none' }), [])
    })

    test('an image of theirs behind hundreds of others is found', async () => {
      const records = await open()
      await hold(records, { packages: 2, images: 250, repository: 'aa/first' })
      await hold(records, { packages: 2, images: 1, repository: 'zz/last' })
      const { counted, queries } = counting(records)
      const hidden: Grant = { action: 'pull', pattern: '**', except: ['aa/**'] }
      const { items } = await listFindings(counted, { kind: 'anonymous', name: 'anonymous', grants: [hidden] }, { limit: 10 })
      assert.deepEqual(
        items.map(({ images }) => images.map((image) => image.repository)),
        [['zz/last'], ['zz/last']],
      )
      assert.equal(queries(), 4, 'and one more for each of the two package versions')
      const many = await listFindings(records, someone('pull', '**'), { limit: 1 })
      assert.equal(many.items[0]?.images.length, 100)
    })
  })
}

function someone(action: Grant['action'], pattern: string): Principal {
  return { kind: 'user', name: 'somebody', grants: [{ action, pattern }] }
}

function counting(records: Records): { counted: Records; queries: () => number } {
  let count = 0
  const plugin: KyselyPlugin = {
    transformQuery: ({ node }) => node, // asked for each part of a query
    async transformResult({ result }) {
      count++
      return result
    },
  }
  return { counted: { ...records, read: records.read.withPlugin(plugin) }, queries: () => count }
}

/** Images of one repository that hold packages `p000` …, each of them with a flaw. */
function hold(records: Records, given: { packages: number; images: number; repository: string; from?: number }): Promise<void> {
  return records.write(async (tx) => {
    const versions = await versionsOf(tx, given.from ?? 0, given.packages)
    const { id: repositoryId } = await tx
      .insertInto('repositories')
      .values({ name: given.repository, created_at: 0 })
      .returning('id')
      .executeTakeFirstOrThrow()
    for (let at = 0; at < given.images; at++) await imageWith(tx, repositoryId, `sha256:${given.repository}-${at}`, versions)
  })
}

async function versionsOf(tx: Tx, from: number, count: number): Promise<{ id: number; name: string }[]> {
  const versions: { id: number; name: string }[] = []
  for (let at = from; at < from + count; at++) {
    const name = `p${String(at).padStart(3, '0')}`
    const known = await tx.selectFrom('package_versions').select(['id', 'name']).where('name', '=', name).executeTakeFirst()
    versions.push(known ?? (await newVersion(tx, name)))
  }
  return versions
}

async function newVersion(tx: Tx, name: string): Promise<{ id: number; name: string }> {
  const row = { ecosystem: 'Debian:12', name, version: '1', matched_revision: null }
  const made = await tx.insertInto('package_versions').values(row).returning(['id', 'name']).executeTakeFirstOrThrow()
  const flaw = { finding_id: 'CVE-2026-1', severity: 'critical', known_exploited: 0, finding: JSON.stringify(finding(name, '1')) }
  await tx
    .insertInto('matches')
    .values({ package_version_id: made.id, ...flaw })
    .execute()
  return made
}

async function imageWith(tx: Tx, repositoryId: number, digest: string, versions: { id: number; name: string }[]): Promise<void> {
  const bytes = {
    media_type: 'm',
    artifact_type: null,
    subject: null,
    annotations: '{}',
    config_digest: null,
    size: 0,
    content: Buffer.alloc(0),
  }
  const { id } = await tx
    .insertInto('manifests')
    .values({ digest, kind: 'image', created_at: 0, unlinked_at: null, ...bytes })
    .returning('id')
    .executeTakeFirstOrThrow()
  await tx
    .insertInto('manifest_links')
    .values({ repository_id: repositoryId, manifest_id: id, pushed_at: 0, pushed_by: 'user:a' })
    .execute()
  const place = { kind: 'deb', version: '1', purl: 'pkg:deb/debian/p', location: 'l', layer: 'l' }
  const rows = versions.map((version, position) => ({
    manifest_id: id,
    position,
    package_version_id: version.id,
    name: version.name,
    ...place,
  }))
  await tx.insertInto('image_packages').values(rows).execute()
}
