import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Digest } from '../../model/digest.ts'
import { mediaTypes } from '../../model/manifest.ts'
import type { Decision, Verdict } from '../../model/verdict.ts'
import { putVerdict } from '../verdicts.ts'
import type { OpenRecords } from './records.ts'
import {
  artifactJson,
  descriptor,
  digestOfBytes,
  imageJson,
  indexJson,
  openWorld,
  pushImage,
  pushManifest,
  repository,
  type Pushed,
  type World,
} from './world.ts'

export function manifestsSuite(implementation: string, open: OpenRecords): void {
  describe(`manifests over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())

    test('thousands of tags by pages, in the order of their bytes', async () => {
      const world = await openWorld(stack, open)
      const { repositoryId, digest } = await pushImage(world, 'shop/api')
      const names = ['A', 'a', '_', 'Z', 'z', '0', 'A-', 'A.', 'A_', 'a.b', ...Array.from({ length: 3000 }, (_, at) => `v${at}`)]
      await tag(world, repositoryId, digest, names)
      const wanted = names.toSorted((a, b) => (a < b ? -1 : 1))
      for (const limit of [1000, 999]) {
        const found: string[] = []
        for (;;) {
          const page = await world.manifests.tags(repositoryId, found.at(-1) ?? '', limit)
          found.push(...page)
          if (page.length < limit) break
        }
        assert.deepEqual(found, wanted)
      }
      assert.deepEqual(await world.manifests.tags(repositoryId, 'A', 3), ['A-', 'A.', 'A_'])
      assert.deepEqual(await world.manifests.tags(repositoryId, 'zz', 3), [])
      assert.deepEqual(await world.manifests.tags(repositoryId + 1, '', 3), [])
    })

    test('repositories by pages, in the order of their bytes', async () => {
      const world = await openWorld(stack, open)
      const names = ['a', 'a-b', 'a.b', 'a/b', 'a0', 'a_b', 'b']
      for (const name of names.toReversed()) await repository(world, name)
      assert.deepEqual(
        await world.manifests.repositories('', 100),
        names.toSorted((a, b) => (a < b ? -1 : 1)),
      )
      assert.deepEqual(await world.manifests.repositories('a.b', 2), ['a/b', 'a0'])
    })

    test('referrers of one subject, by type and by pages, also of a subject that is not here', async () => {
      const world = await openWorld(stack, open)
      const subject = descriptor(mediaTypes.ociManifest, 'subject')
      const pushed: Pushed[] = []
      for (let at = 0; at < 7; at++) {
        const { json, blobs } = artifactJson(at % 2 === 0 ? 'text/even' : 'text/odd', [`file ${at}`], {
          subject,
          annotations: { at: String(at) },
        })
        pushed.push(await pushManifest(world, 'shop/api', json, { blobs }))
      }
      const elsewhere = artifactJson('text/even', ['x'], { subject })
      await pushManifest(world, 'shop/other', elsewhere.json, { blobs: elsewhere.blobs })
      const [{ repositoryId } = { repositoryId: 0 }] = pushed
      const list = (query: object) =>
        world.manifests.referrers(repositoryId, digestOfBytes('subject'), { after: '', most: 100, mostBytes: 1e6, ...query })
      const all = pushed.map((one) => one.digest).toSorted()
      assert.deepEqual(
        (await list({})).items.map((item) => item.digest),
        all,
      )
      assert.equal((await list({ artifactType: 'text/odd' })).items.length, 3)
      assert.deepEqual(await list({ artifactType: 'text/none' }), { items: [], more: false })
      assert.deepEqual(await list({ artifactType: 'a\0b', after: '\0' }), { items: [], more: false })
      const first = await list({ most: 3 })
      assert.deepEqual([first.items.map((item) => item.digest), first.more], [all.slice(0, 3), true])
      const second = await list({ most: 4, after: all[2] })
      assert.deepEqual([second.items.map((item) => item.digest), second.more], [all.slice(3), false])
      assert.deepEqual(JSON.parse(second.items[0]?.annotations ?? ''), { at: String(pushed.findIndex((one) => one.digest === all[3])) })
    })

    test('a page of referrers ends before it is too large, and never is empty', async () => {
      const world = await openWorld(stack, open)
      const subject = descriptor(mediaTypes.ociManifest, 'subject')
      let repositoryId = 0
      for (let at = 0; at < 5; at++) {
        const { json, blobs } = artifactJson('text/x', [], { subject, annotations: { pad: 'x'.repeat(1000), at: String(at) } })
        repositoryId = (await pushManifest(world, 'a', json, { blobs })).repositoryId
      }
      const page = (mostBytes: number, after = '') =>
        world.manifests.referrers(repositoryId, digestOfBytes('subject'), { after, most: 100, mostBytes })
      assert.deepEqual([(await page(4000)).items.length, (await page(4000)).more], [2, true])
      assert.deepEqual([(await page(1)).items.length, (await page(1)).more], [1, true])
      let [after, seen] = ['', 0]
      for (let more = true; more; ) {
        const next = await page(3000, after)
        seen += next.items.length
        more = next.more
        after = next.items.at(-1)?.digest ?? ''
      }
      assert.equal(seen, 5)
    })

    test('a blob stands as the best of those that hold it here', async () => {
      const world = await openWorld(stack, open)
      const holding = async (name: string, decision: Decision | null, validUntil?: number) => {
        const pushed = await pushImage(world, name, [], ['shared', `${decision} ${validUntil}`])
        if (decision !== null) await judge(world, pushed, decision, validUntil)
        return pushed
      }
      const standings = async (name: string) => {
        const found = await world.manifests.standingsOfBlob((await repository(world, name)).id, digestOfBytes('shared'), world.clock.now)
        return found.map((one) => `${one.kind} ${one.decision}`)
      }
      await repository(world, 'none')
      assert.deepEqual(await standings('none'), [])
      const cacheConfig = '{"records":[]}'
      const { json } = imageJson(['shared'])
      const cache = await pushManifest(
        world,
        'a',
        { ...json, config: descriptor(mediaTypes.buildkitCacheConfig, cacheConfig) },
        { blobs: [cacheConfig, 'shared'] },
      )
      await judge(world, cache, 'deny')
      assert.deepEqual(await standings('a'), ['cache deny'])
      await holding('a', 'deny')
      await holding('a', 'deny', world.clock.now + 1)
      assert.deepEqual(await standings('a'), ['image deny', 'cache deny'])
      await holding('a', 'allow', world.clock.now)
      assert.deepEqual(await standings('a'), ['image null', 'image deny', 'cache deny'])
      await holding('a', 'pending')
      assert.deepEqual((await standings('a')).length, 3)
      await holding('b', 'allow')
      assert.deepEqual(await standings('b'), ['image allow'])
      assert.deepEqual((await standings('a')).slice(1), ['image deny', 'cache deny'])
      await holding('a', 'warn', world.clock.now + 1)
      assert.deepEqual(await standings('a'), ['image warn'])
    })

    test('what an index lists beside manifests stands for nothing', async () => {
      const world = await openWorld(stack, open)
      const child = await pushImage(world, 'a')
      const index = await pushManifest(world, 'a', indexJson([child.descriptor, descriptor('application/octet-stream', 'smuggled')]), {
        blobs: ['smuggled'],
      })
      await judge(world, index, 'allow')
      assert.deepEqual(await world.manifests.standingsOfBlob(index.repositoryId, digestOfBytes('smuggled'), world.clock.now), [])
    })

    test('standing: what may have changed since; gone with the link', async () => {
      const world = await openWorld(stack, open)
      const pushed = await pushImage(world, 'a')
      const id = (await world.manifests.byDigest('a', pushed.digest))?.id ?? 0
      assert.deepEqual(
        { ...(await world.manifests.standing(pushed.repositoryId, id)) },
        { decision: null, validUntil: null, reasons: null },
      )
      await judge(world, pushed, 'warn', 7)
      const standing = await world.manifests.standing(pushed.repositoryId, id)
      assert.deepEqual([standing?.decision, standing?.validUntil, standing?.reasons], ['warn', 7, '[]'])
      await world.manifests.deleteManifest(pushed.repositoryId, pushed.digest, world.clock.now)
      assert.equal(await world.manifests.standing(pushed.repositoryId, id), undefined)
    })

    test('tags that may be pulled, the newest first, and no others', async () => {
      const world = await openWorld(stack, open)
      const judged: [string, Decision | null, number | undefined][] = [
        ['old', 'allow', undefined],
        ['warned', 'warn', undefined],
        ['late', 'allow', 1],
        ['held', 'deny', undefined],
        ['new', null, undefined],
      ]
      for (const [name, decision, validUntil] of judged) {
        world.clock.now += 1000
        const pushed = await pushImage(world, 'a', [name])
        if (decision !== null) await judge(world, pushed, decision, validUntil)
      }
      const note = artifactJson('text/x', ['n'])
      const artifact = await pushManifest(world, 'a', note.json, { blobs: note.blobs, tags: ['note'] })
      await judge(world, artifact, 'allow')
      const names = async (limit: number) =>
        (await world.manifests.passingTags(artifact.repositoryId, limit, world.clock.now)).map((one) => one.tag)
      assert.deepEqual([await names(10), await names(1)], [['warned', 'old'], ['warned']])
    })

    test('a tag is deleted alone; a manifest with its tags, its verdict and its word for blobs, here alone', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      const here = await pushManifest(world, 'a', json, { blobs, tags: ['1', '2'] })
      const there = await pushManifest(world, 'b', json, { blobs, tags: ['1'] })
      for (const one of [here, there]) await judge(world, one, 'allow')
      assert.deepEqual(
        [await world.manifests.deleteTag(here.repositoryId, '1'), await world.manifests.deleteTag(here.repositoryId, '1')],
        [true, false],
      )
      assert.equal((await world.manifests.byTag('a', '2'))?.digest, here.digest)
      const remove = () => world.manifests.deleteManifest(here.repositoryId, here.digest, world.clock.now)
      assert.deepEqual([await remove(), await remove()], [true, false])
      assert.equal(await world.manifests.byDigest('a', here.digest), undefined)
      assert.deepEqual(await world.manifests.tags(here.repositoryId, '', 10), [])
      assert.deepEqual(await world.manifests.standingsOfBlob(here.repositoryId, digestOfBytes('layer'), 0), [])
      assert.equal((await world.manifests.byTag('b', '1'))?.decision, 'allow')
      assert.equal(await world.manifests.deleteManifest(here.repositoryId, digestOfBytes('never') as Digest, 0), false)
      await pushManifest(world, 'a', json, { tags: ['1'] })
      assert.equal((await world.manifests.byTag('a', '1'))?.decision, null, 'pushed anew, it waits for a verdict')
    })

    test('an index that lists what was deleted is judged anew', async () => {
      const world = await openWorld(stack, open)
      const child = await pushImage(world, 'a')
      const index = await pushManifest(world, 'a', indexJson([child.descriptor]))
      await world.manifests.deleteManifest(child.repositoryId, child.digest, world.clock.now)
      const jobs = await world.records.read.selectFrom('jobs').select('subject').where('kind', '=', 'rejudge').execute()
      assert.deepEqual(
        jobs.map((job) => job.subject),
        [index.digest],
      )
    })

    test('names and tags that are none find nothing', async () => {
      const world = await openWorld(stack, open)
      const pushed = await pushImage(world, 'shop/api', ['1'])
      for (const name of ['', 'shop', 'SHOP/API', "shop/api' --", 'shop/api\0', '%']) {
        assert.equal(await world.manifests.byTag(name, '1'), undefined)
        assert.equal(await world.manifests.byDigest(name, pushed.digest), undefined)
      }
      for (const tagName of ['', '1 ', "1' or '1'='1", '\0', '%']) assert.equal(await world.manifests.byTag('shop/api', tagName), undefined)
    })
  })
}

async function tag(world: World, repositoryId: number, digest: Digest, names: string[]): Promise<void> {
  await world.records.write(async (tx) => {
    const { id } = await tx.selectFrom('manifests').select('id').where('digest', '=', digest).executeTakeFirstOrThrow()
    const rows = names.map((name) => ({ repository_id: repositoryId, name, manifest_id: id, updated_at: 0, updated_by: 'user:dev' }))
    for (let at = 0; at < rows.length; at += 1000)
      await tx
        .insertInto('tags')
        .values(rows.slice(at, at + 1000))
        .execute()
  })
}

async function judge(world: World, pushed: Pushed, decision: Decision, validUntil?: number): Promise<void> {
  const verdict: Verdict = {
    decision,
    policy: 'balanced',
    policyRevision: 'r',
    evidenceRevision: 1,
    judgedAt: new Date(world.clock.now).toISOString(),
    ...(validUntil === undefined ? {} : { validUntil: new Date(validUntil).toISOString() }),
    reasons: [],
  }
  await world.records.write(async (tx) => {
    const { id } = await tx.selectFrom('manifests').select('id').where('digest', '=', pushed.digest).executeTakeFirstOrThrow()
    await putVerdict(tx, pushed.repositoryId, id, verdict)
  })
}
