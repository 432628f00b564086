import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Digest } from '../../model/digest.ts'
import { verifyAudit } from '../audit-verify.ts'
import { putBack } from '../collection/deleted.ts'
import { restoreTag, tagMoves, type Change, type ImmutableTags } from '../tag-history.ts'
import type { OpenRecords } from './records.ts'
import { digestOfBytes, openWorld, pushImage, pushManifest, type Pushed, type World } from './world.ts'

const versions: ImmutableTags = { patterns: ['v*'], match: 'shop/**' }

/** Tags: what they did (tag_moves), what stays where it is, and what is put back. */
export function tagsSuite(implementation: string, open: OpenRecords): void {
  const stack = new AsyncDisposableStack()
  const begin = () => openWorld(stack, open)

  describe(`tags over ${implementation}`, () => {
    after(() => stack.disposeAsync())
    test('each move is on record: who, when, from where to where; the same again is none', async () => {
      const world = await begin()
      const one = await pushImage(world, 'shop/api', ['1', 'latest'])
      world.clock.now += 1000
      const two = await pushImage(world, 'shop/api', ['latest'])
      await push(world, two, 'latest')
      await world.manifests.deleteTag(one.repositoryId, 'latest', by(world, 'user:ada'))
      assert.deepEqual(await moves(world, one.repositoryId, 'latest'), [
        [two.digest, null, 'delete', 'user:ada'],
        [one.digest, two.digest, 'push', 'user:dev'],
        [null, one.digest, 'push', 'user:dev'],
      ])
      assert.deepEqual(await moves(world, one.repositoryId, '1'), [[null, one.digest, 'push', 'user:dev']])
      const [newest] = await tagMoves(world.records, one.repositoryId, 'latest', { limit: 1 })
      assert.equal(newest?.at, world.clock.now)
      const page = await tagMoves(world.records, one.repositoryId, 'latest', { limit: 5, before: newest?.id ?? 0 })
      assert.equal(page.length, 2)
    })

    test('a manifest that is deleted takes its tags, and each of them tells so; undone, they come back', async () => {
      const world = await begin()
      const one = await pushImage(world, 'shop/api', ['1', '1.0', 'latest'])
      await world.manifests.deleteManifest(one.repositoryId, one.digest, world.clock.now, by(world, 'user:ada'))
      for (const tag of ['1', '1.0', 'latest'])
        assert.deepEqual((await moves(world, one.repositoryId, tag))[0], [one.digest, null, 'delete', 'user:ada'])
      const repository = { id: one.repositoryId, name: 'shop/api' }
      await world.records.write((tx) => putBack(tx, repository, one.digest, 0, 'user:bob', world.clock.now))
      assert.deepEqual((await moves(world, one.repositoryId, '1.0'))[0], [null, one.digest, 'restore', 'user:bob'])
    })

    test('an immutable tag does not move, by push or deletion; the same digest and other tags are fine', async () => {
      const world = await begin()
      const one = await pushImage(world, 'shop/api', ['v1', 'latest'])
      const two = await pushImage(world, 'shop/api')
      const refused = { code: 'DENIED', message: new RegExp(`shop/api:v1 stays at ${one.digest}: immutableTags v\\* of shop/\\*\\*`) }
      await assert.rejects(push(world, two, 'v1', versions), refused)
      await push(world, one, 'v1', versions)
      await push(world, two, 'latest', versions)
      await push(world, two, 'v2', versions)
      const change = by(world, 'user:dev', versions)
      await assert.rejects(world.manifests.deleteTag(one.repositoryId, 'v1', change), refused)
      await assert.rejects(world.manifests.deleteManifest(one.repositoryId, one.digest, world.clock.now, change), refused)
      assert.equal((await world.manifests.byTag('shop/api', 'v1'))?.digest, one.digest)
      assert.equal((await world.manifests.byDigest('shop/api', one.digest))?.digest, one.digest, 'nothing of the deletion is left')
      assert.equal(await world.manifests.deleteTag(one.repositoryId, 'v1', by(world, 'user:dev')), true, 'without the rule it goes')
    })

    test('of several tags in one push none moves where one may not', async () => {
      const world = await begin()
      const one = await pushImage(world, 'shop/api', ['v1', 'latest'])
      const two = await pushImage(world, 'shop/api')
      await assert.rejects(repush(world, two, ['latest', 'v1'], versions), { code: 'DENIED' })
      assert.equal((await world.manifests.byTag('shop/api', 'latest'))?.digest, one.digest)
      assert.equal((await moves(world, one.repositoryId, 'latest')).length, 1)
    })

    test('of many who push one new immutable tag at once one has it, and the others are told', async () => {
      const world = await begin()
      const images = await Promise.all(Array.from({ length: 8 }, () => pushImage(world, 'shop/api')))
      const outcomes = await Promise.allSettled(images.map((image) => push(world, image, 'v1', versions)))
      const won = outcomes.flatMap((outcome, at) => (outcome.status === 'fulfilled' ? [images[at]?.digest] : []))
      assert.equal(won.length, 1)
      for (const outcome of outcomes) if (outcome.status === 'rejected') assert.equal((outcome.reason as { code: string }).code, 'DENIED')
      assert.equal((await world.manifests.byTag('shop/api', 'v1'))?.digest, won[0])
    })

    test('of many moves at once each begins where another ended', async () => {
      const world = await begin()
      const images = await Promise.all(Array.from({ length: 8 }, () => pushImage(world, 'shop/api')))
      await Promise.all(images.map((image) => push(world, image, 'latest')))
      const history = (await moves(world, images[0]?.repositoryId ?? 0, 'latest')).toReversed()
      assert.equal(history.length, 8)
      history.forEach(([from], at) => assert.equal(from, at === 0 ? null : history[at - 1]?.[1]))
    })

    test('any of its digests can be put back, as often as wanted; the audit log tells', async () => {
      const world = await begin()
      const images = [await pushImage(world, 'shop/api', ['latest']), await pushImage(world, 'shop/api', ['latest'])]
      const [one, two] = images as [Pushed, Pushed]
      const repository = { id: one.repositoryId, name: 'shop/api' }
      assert.equal(await restoreTag(world.records, repository, 'latest', one.digest, by(world, 'user:ada')), two.digest)
      assert.equal((await world.manifests.byTag('shop/api', 'latest'))?.digest, one.digest)
      await world.manifests.deleteTag(one.repositoryId, 'latest')
      assert.equal(await restoreTag(world.records, repository, 'latest', two.digest, by(world, 'user:ada')), null)
      assert.equal((await world.manifests.byTag('shop/api', 'latest'))?.digest, two.digest)
      const actions = await world.records.read
        .selectFrom('audit_log')
        .select(['action', 'principal', 'address', 'subject'])
        .orderBy('id')
        .execute()
      assert.deepEqual(
        actions.map((row) => `${row.action} ${row.principal} ${row.address} ${row.subject}`),
        [
          'tag.push user:dev 192.0.2.1 shop/api:latest',
          'tag.push user:dev 192.0.2.1 shop/api:latest',
          'tag.restore user:ada 192.0.2.7 shop/api:latest',
          'tag.delete system local shop/api:latest',
          'tag.restore user:ada 192.0.2.7 shop/api:latest',
        ],
      )
      assert.equal((await verifyAudit(world.records)).broken, undefined)
    })

    test('what it never was, what is gone, and what must not move is not put back', async () => {
      const world = await begin()
      const one = await pushImage(world, 'shop/api', ['latest', 'v1'])
      const two = await pushImage(world, 'shop/api', ['latest'])
      const other = await pushImage(world, 'shop/web', ['latest'])
      const repository = { id: one.repositoryId, name: 'shop/api' }
      const restore = (tag: string, digest: Digest, rules?: ImmutableTags) =>
        restoreTag(world.records, repository, tag, digest, by(world, 'user:ada', rules))
      for (const digest of [other.digest, digestOfBytes('never')]) await assert.rejects(restore('latest', digest), { code: 'NOT_FOUND' })
      await assert.rejects(restore('v1', two.digest), { code: 'NOT_FOUND' })
      await assert.rejects(restore('latest', one.digest, { patterns: ['*'], match: '**' }), { code: 'DENIED', message: /latest stays at/ })
      await world.manifests.deleteManifest(one.repositoryId, one.digest, world.clock.now)
      await assert.rejects(restore('latest', one.digest), { code: 'CONFLICT', message: /no longer holds/ })
      assert.equal((await world.manifests.byTag('shop/api', 'latest'))?.digest, two.digest)
    })

    test('deletions and pushes without a tag are in the audit log', async () => {
      const world = await begin()
      const one = await pushImage(world, 'shop/api', ['1'])
      const two = await pushImage(world, 'shop/api')
      await world.manifests.deleteManifest(one.repositoryId, one.digest, world.clock.now, by(world, 'user:ada'))
      const rows = await world.records.read.selectFrom('audit_log').select(['action', 'subject', 'detail']).orderBy('id').execute()
      assert.deepEqual(
        rows.map((row) => [row.action, row.subject, JSON.parse(row.detail)]),
        [
          ['tag.push', 'shop/api:1', { digest: one.digest, from: null }],
          ['manifest.push', `shop/api@${two.digest}`, {}],
          ['manifest.delete', `shop/api@${one.digest}`, { tags: ['1'], tagCount: 1 }],
        ],
      )
    })
  })
}

function by(world: World, principal: string, immutableTags?: ImmutableTags): Change {
  return { actor: { principal, address: '192.0.2.7' }, at: world.clock.now, immutableTags }
}

function repush(world: World, image: Pushed, tags: string[], immutableTags?: ImmutableTags): Promise<Pushed> {
  const json = JSON.parse(image.bytes.toString()) as Record<string, unknown>
  return pushManifest(world, 'shop/api', json, { bytes: image.bytes, tags, immutableTags })
}

function push(world: World, image: Pushed, tag: string, immutableTags?: ImmutableTags): Promise<Pushed> {
  return repush(world, image, [tag], immutableTags)
}

/** From the tag_moves of that tag, the newest first. */
async function moves(world: World, repositoryId: number, tag: string): Promise<(string | null)[][]> {
  const all = await tagMoves(world.records, repositoryId, tag, { limit: 100 })
  return all.map(({ from, to, way, by: who }) => [from, to, way, who])
}
