import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { scratch } from '../../test/support/scratch.ts'
import { createLog } from '../kit/log.ts'
import { systemActor } from '../store/audit.ts'
import { openSqliteRecords } from '../store/records/sqlite.ts'
import { repositoryFinder } from '../store/repositories.ts'
import { openWorld, pushBlob, pushImage, repository, type World } from '../store/suites/world.ts'
import { createCollections, type Collections, type CollectionsParts } from './collection.ts'

const stack = new AsyncDisposableStack()
after(() => stack.disposeAsync())
const folder = await scratch(stack, 'collections')
const graceMs = 100_000
const admin = { principal: 'user:admin', address: '192.0.2.1' }
const waitMs = 20_000
let opened = 0

async function begin(changed: (world: World) => Partial<CollectionsParts> = () => ({})) {
  const records = await openSqliteRecords(join(folder, `${++opened}.sqlite`))
  stack.defer(() => records.close())
  const world = await openWorld(stack, async () => records)
  const woken: string[] = []
  const collections = createCollections({
    records,
    objects: world.objects,
    uploads: world.uploads,
    findRepository: repositoryFinder(records),
    graceMs,
    intervalMs: 1000,
    onRestored: () => void woken.push('woken'),
    log: createLog({ level: 'silent' }),
    now: () => world.clock.now,
    ...changed(world),
  })
  stack.defer(() => collections.stop())
  return { world, collections, woken }
}

async function audited(world: World): Promise<string[]> {
  const rows = await world.records.read
    .selectFrom('audit_log')
    .select(['principal', 'action', 'subject'])
    .where('principal', '=', admin.principal)
    .orderBy('id')
    .execute()
  return rows.map((row) => `${row.principal} ${row.action} ${row.subject}`)
}

async function ended(collections: Collections, count: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const runs = await collections.list(10)
    if (runs.filter((run) => run.state === 'ended').length >= count) return
    await sleep(50)
  }
  assert.fail(`not ${count} collections in 10 s`)
}

test('what was asked for is on record and in the audit log; a dry run is on record alone', async () => {
  const { world, collections } = await begin()
  await pushBlob(world, 'a', 'layer')
  world.clock.now += graceMs
  const dry = await collections.run(admin, { dryRun: true, waitMs })
  const real = await collections.run(admin, { dryRun: false, waitMs })
  assert.deepEqual([dry.state, dry.freed.blobs, real.state, real.freed.blobs, real.startedBy], ['ended', 1, 'ended', 1, 'user:admin'])
  assert.deepEqual(await audited(world), [`user:admin collection.run collection:${real.id}`])
  assert.deepEqual((await collections.list(10)).map((run) => run.id).toSorted(), [dry.id, real.id])
  await assert.rejects(collections.find(99, 0), { code: 'NOT_FOUND' })
})

test('it begins by itself, and again after the interval, and not before', async () => {
  const { world, collections } = await begin()
  collections.start()
  await ended(collections, 1)
  await sleep(1500)
  assert.equal((await collections.list(10)).length, 1)
  world.clock.now += 1000
  await ended(collections, 2)
  assert.equal((await collections.list(10))[0]?.startedBy, systemActor.principal)
  assert.deepEqual(await audited(world), [])
})

test('of two at once the second is told of the first; the first goes on, and is found by its id', async () => {
  const { world, collections } = await begin((made) => ({
    objects: { ...made.objects, remove: (key) => sleep(400).then(() => made.objects.remove(key)) },
  }))
  await pushBlob(world, 'a', 'layer')
  world.clock.now += graceMs
  const first = await collections.run(admin, { dryRun: false, waitMs: 0 })
  assert.equal(first.state, 'running')
  await assert.rejects(collections.run(admin, { dryRun: false, waitMs: 0 }), {
    code: 'CONFLICT',
    message: new RegExp(`another collection is under way \\(${first.id}, begun by user:admin`),
  })
  await ended(collections, 1)
  assert.equal((await collections.find(first.id, 0)).freed.objects, 1)
})

test('one that fails, or is stopped, is on record as broken, with why', async () => {
  const { world, collections } = await begin((made) => ({
    objects: { ...made.objects, remove: () => Promise.reject(new Error('EIO: the disk')) },
  }))
  await pushBlob(world, 'a', 'layer')
  world.clock.now += graceMs
  const run = await collections.run(admin, { dryRun: false, waitMs: 5000 }).finally(() => undefined)
  await sleep(300)
  const found = await collections.find(run.id, 0)
  assert.deepEqual([found.state, found.problem], ['broken', 'EIO: the disk'])

  const slow = await begin((made) => ({ objects: { ...made.objects, remove: (key) => sleep(300).then(() => made.objects.remove(key)) } }))
  for (let at = 0; at < 60; at++) await pushBlob(slow.world, 'a', `layer ${at}`)
  slow.world.clock.now += graceMs
  const under = await slow.collections.run(admin, { dryRun: false, waitMs: 0 })
  await slow.collections.stop()
  const stopped = await slow.collections.find(under.id, 0)
  assert.deepEqual([stopped.state, stopped.problem], ['broken', 'the server was stopped'])
})

test('a manifest is put back by who is named, who is asked for what is not there hears so', async () => {
  const { world, collections, woken } = await begin()
  const image = await pushImage(world, 'a', ['1'])
  await repository(world, 'b')
  const developer = { principal: 'user:dev', address: '192.0.2.2' }
  const change = { actor: developer, at: world.clock.now, immutableTags: undefined }
  await world.manifests.deleteManifest(image.repositoryId, image.digest, world.clock.now, change)
  assert.equal((await collections.deleted({ most: 10 })).length, 1)
  assert.equal((await collections.deleted({ most: 10, repository: 'b' })).length, 0)
  await assert.rejects(collections.restore(admin, 'a', 'sha256:x'), { code: 'INPUT_INVALID' })
  for (const name of ['b', 'c']) await assert.rejects(collections.restore(admin, name, image.digest), { code: 'NOT_FOUND' })
  assert.deepEqual(woken, [])
  assert.deepEqual(await collections.restore(admin, 'a', image.digest), { repository: 'a', digest: image.digest, tags: ['1'] })
  assert.deepEqual(woken, ['woken'])
  assert.deepEqual(await audited(world), [`user:admin manifest.restore a@${image.digest}`])
})
