import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { policies } from '../../judge/policy.ts'
import { mediaTypes } from '../../model/manifest.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { markDamaged } from '../../store/scrub/damage.ts'
import {
  descriptor,
  digestOfBytes,
  imageJson,
  indexJson,
  openWorld,
  pushBlob,
  pushImage,
  pushManifest,
  type Json,
  type Pushed,
} from '../../store/suites/world.ts'
import { decision, finding, judgeAlone, keepAndJudge, pushJson, verdictOf } from './world.ts'

const good = {}
const bad = { findings: [finding('openssl', '1')] }

export function judgingSuite(implementation: string, open: OpenRecords): void {
  describe(`judging over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())
    const platforms = (children: Pushed[]) =>
      indexJson(children.map((child, at) => ({ ...child.descriptor, platform: { os: 'linux', architecture: `cpu${at}` } })))

    test('a manifest is judged in every repository that holds it, and where it is told', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      const [here, there] = [await pushJson(world, 'a', { json, blobs }), await pushJson(world, 'b', { json, blobs })]
      const places = await keepAndJudge(world, here, bad)
      assert.deepEqual(
        places.map((place) => place.repositoryId),
        [here.repositoryId, there.repositoryId].toSorted((x, y) => x - y),
      )
      assert.deepEqual([await decision(world, here), await decision(world, there)], ['deny', 'deny'])
      const verdict = await verdictOf(world, here)
      assert.deepEqual([verdict?.policyRevision, verdict?.evidenceRevision], [policies.balanced.revision, 1])
    })

    test('without evidence there is no verdict', async () => {
      const world = await openWorld(stack, open)
      const image = await pushImage(world, 'a')
      assert.deepEqual(await judgeAlone(world, image), [])
      assert.equal(await decision(world, image), 'none')
    })

    test('an index goes with its children, as they are judged', async () => {
      const world = await openWorld(stack, open)
      const [one, two] = [await pushImage(world, 'a'), await pushImage(world, 'a')]
      const index = await pushManifest(world, 'a', platforms([one, two]))
      await judgeAlone(world, index)
      assert.equal(await decision(world, index), 'pending')
      await keepAndJudge(world, one, bad)
      assert.equal(await decision(world, index), 'pending')
      await keepAndJudge(world, two, bad)
      assert.equal(await decision(world, index), 'deny')
      const reasons = (await verdictOf(world, index))?.reasons
      assert.deepEqual(
        reasons?.map((reason) => reason.evidence['platforms']),
        [['linux/cpu0', 'linux/cpu1']],
      )
      await keepAndJudge(world, two, good)
      assert.deepEqual([await decision(world, index), await decision(world, one)], ['allow', 'deny'])
    })

    test('children that are judged at the same time are all counted', async () => {
      const world = await openWorld(stack, open)
      const rounds = world.records.kind === 'postgres' ? 6 : 2
      for (let round = 0; round < rounds; round++) {
        const children: Pushed[] = []
        for (let at = 0; at < 6; at++) children.push(await pushImage(world, `r${round}`))
        const index = await pushManifest(world, `r${round}`, platforms(children))
        await judgeAlone(world, index)
        await Promise.all(children.map((child) => keepAndJudge(world, child, bad)))
        assert.equal(await decision(world, index), 'deny')
      }
    })

    test('indexes in indexes, each once however they are woven', async () => {
      const world = await openWorld(stack, open)
      const leaf = await pushImage(world, 'a')
      let level = [leaf]
      for (let depth = 0; depth < 5; depth++) {
        const next: Pushed[] = []
        for (let at = 0; at < 4; at++)
          next.push(await pushManifest(world, 'a', { ...platforms(level), annotations: { at: `${depth}.${at}` } }))
        level = next
      }
      const places = await keepAndJudge(world, leaf, good)
      assert.equal(places.length, 1 + 5 * 4)
      assert.deepEqual(new Set(await Promise.all(level.map((index) => decision(world, index)))), new Set(['allow']))
      await keepAndJudge(world, leaf, bad)
      assert.deepEqual(new Set(await Promise.all(level.map((index) => decision(world, index)))), new Set(['deny']))
    })

    test('an index by the children that this repository holds: one that was deleted is denied', async () => {
      const world = await openWorld(stack, open)
      const child = await pushImage(world, 'a')
      const index = await pushManifest(world, 'a', platforms([child]))
      await keepAndJudge(world, child, good)
      assert.equal(await decision(world, index), 'allow')
      await world.manifests.deleteManifest(child.repositoryId, child.digest, world.clock.now)
      await judgeAlone(world, index)
      assert.equal(await decision(world, index), 'deny')
    })

    test('an index that lists nothing is held', async () => {
      const world = await openWorld(stack, open)
      const index = await pushManifest(world, 'a', indexJson([]))
      await judgeAlone(world, index)
      assert.deepEqual([await decision(world, index), (await verdictOf(world, index))?.reasons[0]?.rule], ['deny', 'index'])
    })

    test("an attestation has its image's verdict, whichever was judged first, and none of it counts for the index", async () => {
      const world = await openWorld(stack, open)
      const [image, note] = [await pushImage(world, 'a'), await pushJson(world, 'a', attestation('in-toto'))]
      const index = await pushManifest(world, 'a', attested(image, note))
      await judgeAlone(world, index)
      await keepAndJudge(world, note, { allJson: true })
      assert.equal(await decision(world, note), 'pending')
      await keepAndJudge(world, image, bad)
      assert.deepEqual([await decision(world, note), await decision(world, index)], ['deny', 'deny'])
      assert.match((await verdictOf(world, note))?.reasons[0]?.message ?? '', /openssl/)
      await keepAndJudge(world, image, good)
      assert.deepEqual([await decision(world, note), await decision(world, index)], ['allow', 'allow'])
    })

    test('what an index only calls an attestation is judged by itself', async () => {
      const world = await openWorld(stack, open)
      const image = await pushImage(world, 'a')
      const evil = await pushImage(world, 'a')
      const polyglot = await pushJson(world, 'a', attestation('layer'))
      const unreadable = [{ doubt: 'unreadable' as const, detail: 'layer 1 of 1: it is JSON, not an archive' }]
      await pushManifest(world, 'a', attested(image, evil))
      await pushManifest(world, 'a', attested(image, polyglot))
      await keepAndJudge(world, image, good)
      await keepAndJudge(world, evil, bad)
      await keepAndJudge(world, polyglot, { allJson: true, doubts: unreadable })
      assert.deepEqual([await decision(world, evil), await decision(world, polyglot)], ['deny', 'deny'])
    })

    test('an attestation of what no index lists beside it, or another repository holds, is judged by itself', async () => {
      const world = await openWorld(stack, open)
      const image = await pushImage(world, 'b')
      await keepAndJudge(world, image, good)
      const note = await pushJson(world, 'a', attestation('in-toto'))
      await pushManifest(world, 'a', indexJson([{ ...note.descriptor, annotations: attests(image.digest) }]))
      await keepAndJudge(world, note, { allJson: true, doubts: [{ doubt: 'unreadable', detail: 'x' }] })
      assert.equal(await decision(world, note), 'deny')
    })

    test('a build cache is held whatever it holds', async () => {
      const world = await openWorld(stack, open)
      const config = '{"records":[]}'
      const cache = await pushManifest(
        world,
        'a',
        { ...imageJson(['l']).json, config: descriptor(mediaTypes.buildkitCacheConfig, config) },
        { blobs: [config, 'l'] },
      )
      await judgeAlone(world, cache)
      assert.deepEqual([await decision(world, cache), (await verdictOf(world, cache))?.reasons[0]?.rule], ['deny', 'build-cache'])
    })

    test('under observe nothing but a build cache is denied', async () => {
      const world = await openWorld(stack, open)
      const image = await pushImage(world, 'a')
      const index = await pushManifest(world, 'a', platforms([image]))
      await keepAndJudge(world, image, { ...bad, doubts: [{ doubt: 'unreadable', detail: 'x' }] }, policies.observe)
      assert.deepEqual([await decision(world, image), await decision(world, index)], ['warn', 'warn'])
    })

    test('what holds a damaged blob is denied with that reason, and its indexes with it, until the blob is pushed again', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      const image = await pushJson(world, 'a', { json, blobs })
      const index = await pushManifest(world, 'a', platforms([image]))
      const note = await pushJson(world, 'a', attestation('in-toto'))
      await pushManifest(world, 'a', attested(image, note))
      await keepAndJudge(world, image, good)
      await keepAndJudge(world, note, { allJson: true })
      const damage = async (text: string) => {
        const blob = (await world.blobs.find('a', digestOfBytes(text))) ?? assert.fail()
        await world.records.write((tx) => markDamaged(tx, blob, 'its bytes changed', world.clock.now))
      }
      await damage('layer')
      await judgeAlone(world, image)
      const [reason] = (await verdictOf(world, image))?.reasons ?? []
      assert.deepEqual([reason?.rule, reason?.effect], ['damaged', 'deny'])
      assert.match(reason?.message ?? '', new RegExp(`damaged on this server's disk: ${digestOfBytes('layer')}: its bytes changed`))
      assert.deepEqual([await decision(world, image), await decision(world, index)], ['deny', 'deny'])
      await pushBlob(world, 'a', 'layer')
      await judgeAlone(world, image)
      assert.deepEqual(
        [await decision(world, image), await decision(world, index), await decision(world, note)],
        ['allow', 'allow', 'allow'],
      )
      await damage('{}')
      await judgeAlone(world, note)
      assert.equal(await decision(world, note), 'deny', 'an attestation too, whatever it describes')
    })

    test('a verdict never outlives the place that it is of', async () => {
      const world = await openWorld(stack, open)
      const { json, blobs } = imageJson(['layer'])
      const image = await pushJson(world, 'a', { json, blobs })
      for (let round = 0; round < 15; round++) {
        await Promise.all([
          keepAndJudge(world, image, bad),
          world.manifests.deleteManifest(image.repositoryId, image.digest, world.clock.now),
        ])
        assert.equal(await decision(world, image), 'none')
        await pushManifest(world, 'a', json)
      }
    })
  })
}

function attestation(mediaType: 'in-toto' | 'layer'): { json: Json; blobs: string[] } {
  const type = mediaType === 'in-toto' ? 'application/vnd.in-toto+json' : 'application/vnd.oci.image.layer.v1.tar'
  const { json, blobs } = imageJson(['{}'])
  return { json: { ...json, layers: [descriptor(type, '{}')], annotations: { mediaType } }, blobs }
}

function attests(digest: string): Record<string, string> {
  return { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': digest }
}

function attested(image: Pushed, note: Pushed): Json {
  return indexJson([
    { ...image.descriptor, platform: { os: 'linux', architecture: 'amd64' } },
    { ...note.descriptor, annotations: attests(image.digest) },
  ])
}
