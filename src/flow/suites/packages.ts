import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LazaretError, type ErrorCode } from '../../kit/errors.ts'
import type { Grant, Principal } from '../../model/access.ts'
import type { Records, Tx } from '../../store/records/records.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { listPackageHolders, type PackageQuery } from '../queries/packages.ts'

/** Who holds a package: by range, by right, and by page. */
export function packagesSuite(implementation: string, open: OpenRecords): void {
  describe(`who holds a package, over ${implementation}`, () => {
    test('by the order of the ecosystem, and what can not be compared says so', async () => {
      const records = await open()
      await hold(records, 'Maven', 'org.apache.logging.log4j:log4j-core', ['2.9.1', '2.16.0', '2.17.0', '2.17.0-rc1'])
      await hold(records, 'Maven', 'org.example:not-log4j-core', ['1.0'])
      await hold(records, 'PyPI', 'log4j-core', ['1.0', 'no version'])
      await hold(records, 'Debian:12', 'log4j-core', ['2.16.0-1~deb12u1'])
      const versions = async (query: Partial<PackageQuery>) =>
        (await listPackageHolders(records, someone('pull', '**'), { name: 'log4j-core', limit: 100, ...query })).items.map(
          ({ version, comparable }) => (comparable ? version : `${version}?`),
        )
      assert.deepEqual(await versions({ ecosystem: 'Maven', version: '<2.17' }), ['2.9.1', '2.16.0', '2.17.0-rc1'])
      assert.deepEqual(await versions({ ecosystem: 'Maven', version: '>=2.16,<=2.17.0' }), ['2.16.0', '2.17.0', '2.17.0-rc1'])
      assert.deepEqual(await versions({ name: 'org.apache.logging.log4j:log4j-core', version: '2.9.1' }), ['2.9.1'])
      assert.deepEqual(await versions({ ecosystem: 'PyPI', version: '<2' }), ['1.0', 'no version?'])
      assert.deepEqual(await versions({ ecosystem: 'PyPI', version: '=no version' }).catch(codeOf), 'INPUT_INVALID')
      assert.deepEqual(await versions({ ecosystem: 'Debian' }), ['2.16.0-1~deb12u1'])
      assert.equal((await versions({})).length, 7)
      for (const odd of ['%', '_og4j-core', 'log4j', "x' or '1'='1"]) assert.deepEqual(await versions({ name: odd }), [], odd)
    })

    test('pages together are the whole, and no image is there twice', async () => {
      const records = await open()
      await hold(records, 'npm', 'left', ['1.0.0', '1.1.0', '2.0.0'], { images: 120, repositories: ['a/one', 'b/two'] })
      const whole: string[] = []
      let after: string | undefined
      do {
        const query = { name: 'left', version: '<2', limit: 70, ...(after === undefined ? {} : { after }) }
        const page = await listPackageHolders(records, someone('admin', ''), query)
        whole.push(...page.items.map(({ version, digest, repositories }) => `${version} ${digest} ${repositories.join()}`))
        after = page.next
      } while (after !== undefined)
      assert.equal(whole.length, 240)
      assert.equal(new Set(whole).size, 240)
      assert.ok(whole.every((line) => line.endsWith(' a/one,b/two')))
      assert.equal(
        await listPackageHolders(records, someone('admin', ''), { name: 'left', limit: 1, after: '7' }).catch(codeOf),
        'INPUT_INVALID',
      )
    })

    test('only images that the caller may pull, and of their names only those', async () => {
      const records = await open()
      await hold(records, 'npm', 'left', ['1.0.0'], { images: 60, repositories: ['secret/app'] })
      await hold(records, 'npm', 'left', ['1.0.0'], { images: 1, repositories: ['open/app', 'secret/app'] })
      const shown = async (who: Principal) =>
        (await listPackageHolders(records, who, { name: 'left', limit: 100 })).items.map((one) => one.repositories)
      assert.deepEqual(await shown(someone('pull', 'open/**')), [['open/app']])
      assert.deepEqual(await shown(someone('push', '**')), [])
      assert.deepEqual(await shown(someone('pull', 'none/**')), [])
      const hidden: Grant = { action: 'pull', pattern: '**', except: ['secret/**'] }
      assert.deepEqual(await shown({ kind: 'anonymous', name: 'anonymous', grants: [hidden] }), [['open/app']])
      const scoped = { ...someone('pull', '**'), scope: new Map([['open/app', new Set(['pull'])]]) }
      assert.deepEqual(await shown(scoped), [['open/app']])
      assert.equal((await shown(someone('admin', ''))).length, 61)
    })
  })
}

function codeOf(error: unknown): ErrorCode {
  if (error instanceof LazaretError) return error.code
  throw error
}

function someone(action: Grant['action'], pattern: string): Principal {
  return { kind: 'user', name: 'somebody', grants: [{ action, pattern }] }
}

interface Held {
  images: number
  repositories: readonly string[]
}

/** New images in each of the repositories, that hold each of the versions, in two places. */
async function hold(
  records: Records,
  ecosystem: string,
  name: string,
  versions: readonly string[],
  { images, repositories }: Held = { images: 1, repositories: ['team/app'] },
): Promise<void> {
  await records.write(async (tx) => {
    const ids = await Promise.all(versions.map((version) => idOf(tx, { ecosystem, name, version })))
    const places = await Promise.all(repositories.map((repository) => repositoryOf(tx, repository)))
    for (let at = 0; at < images; at++) {
      const manifest = await imageIn(tx, places)
      const rows = [...ids, ...ids].map((id, position) => ({ manifest_id: manifest, position, package_version_id: id, ...place }))
      await tx.insertInto('image_packages').values(rows).execute()
    }
  })
}

const place = { kind: 'npm', name: 'n', version: '1', purl: 'pkg:npm/n', location: 'l', layer: 'l' }

async function idOf(tx: Tx, subject: { ecosystem: string; name: string; version: string }): Promise<number> {
  const row = { ...subject, matched_revision: null }
  await tx
    .insertInto('package_versions')
    .values(row)
    .onConflict((conflict) => conflict.columns(['ecosystem', 'name', 'version']).doNothing())
    .execute()
  const found = tx.selectFrom('package_versions').select('id').where('ecosystem', '=', subject.ecosystem).where('name', '=', subject.name)
  return Number((await found.where('version', '=', subject.version).executeTakeFirstOrThrow()).id)
}

async function repositoryOf(tx: Tx, name: string): Promise<number> {
  const known = await tx.selectFrom('repositories').select('id').where('name', '=', name).executeTakeFirst()
  if (known !== undefined) return Number(known.id)
  return Number((await tx.insertInto('repositories').values({ name, created_at: 0 }).returning('id').executeTakeFirstOrThrow()).id)
}

async function imageIn(tx: Tx, repositories: readonly number[]): Promise<number> {
  const bytes = {
    media_type: 'm',
    artifact_type: null,
    subject: null,
    annotations: '{}',
    config_digest: null,
    size: 0,
    content: Buffer.alloc(0),
  }
  const digest = `sha256:${crypto.randomUUID().replaceAll('-', '').repeat(2)}`
  const made = tx.insertInto('manifests').values({ digest, kind: 'image', created_at: 0, unlinked_at: null, ...bytes })
  const id = Number((await made.returning('id').executeTakeFirstOrThrow()).id)
  const links = repositories.map((repository) => ({ repository_id: repository, manifest_id: id, pushed_at: 0, pushed_by: 'user:a' }))
  await tx.insertInto('manifest_links').values(links).execute()
  return id
}
