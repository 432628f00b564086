import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Grant, Principal } from '../../model/access.ts'
import { parseBasePattern } from '../../model/base.ts'
import { mediaTypes } from '../../model/manifest.ts'
import type { OpenRecords } from '../../store/suites/records.ts'
import { descriptor, imageJson, pushManifest, type Json, type Pushed } from '../../store/suites/world.ts'
import { createBaseQueries } from '../queries/bases.ts'
import { listBuiltOn, type ImageQuery } from '../queries/images.ts'
import { judgedOf, openFlow, type FlowWorld } from './world.ts'

export function basesSuite(implementation: string, open: OpenRecords): void {
  describe(`base images over ${implementation}`, () => {
    const stack = new AsyncDisposableStack()
    after(() => stack.disposeAsync())
    const begin = () => openFlow(stack, open)

    test('an examination is enough for it to be known, and until then it is not', async () => {
      const world = await begin()
      await examined(world, 'library/debian', ['D'], { tags: ['12', 'stable'] })
      const app = await pushed(world, 'shop/api', ['D', 'A'])
      assert.deepEqual(await baseOf(world, app), { known: 'unknown', why: 'its layers have not been read, or the lowest can not be' })
      await world.examinations.examine(app.digest, -1)
      const { digest, ...base } = await baseOf(world, app)
      assert.deepEqual(base, { known: 'image', layers: 1, names: ['library/debian:12', 'library/debian:stable'] })
      assert.match(digest ?? '', /^sha256:/)
      const queries = createBaseQueries({ ...world, declared: [] })
      assert.equal((await queries.layersOf((await judgedOf(world, app)).id))?.size, 1)
    })

    test('nothing here is below it: unknown, and said so', async () => {
      const world = await begin()
      const app = await examined(world, 'a', ['D', 'A'])
      await examined(world, 'b', ['D', 'B'])
      assert.deepEqual(await baseOf(world, app), { known: 'unknown', why: 'no other image here is all of its lowest layers' })
      const torn = await examined(world, 'c', ['D', 'other'])
      assert.match((await baseOf(world, torn)).why ?? '', /^only its lowest layer could be read/)
      assert.equal(await createBaseQueries({ ...world, declared: [] }).layersOf((await judgedOf(world, app)).id), undefined)
    })

    test('of several with the same layers: the declared one, then one with a tag, then who was first', async () => {
      const world = await begin()
      await examined(world, 'first', ['D'], { note: '1' })
      await examined(world, 'second', ['D'], { note: '2', tags: ['x'] })
      await examined(world, 'third', ['D'], { note: '3', tags: ['x', 'y'] })
      const app = await examined(world, 'app', ['D', 'A'])
      const named = async (...declared: string[]) => {
        const { known, names, others } = await baseOf(world, app, everything, declared)
        return [known, ...(names ?? []), others]
      }
      assert.deepEqual(await named(), ['image', 'second:x', 2])
      assert.deepEqual(await named('thi*'), ['declared', 'third:x', 'third:y', 2])
      assert.deepEqual(await named('**:y'), ['declared', 'third:x', 'third:y', 2])
      assert.deepEqual(await named('nowhere/**', 'first:x'), ['image', 'second:x', 2])
      assert.deepEqual((await named('first')).slice(0, 1), ['declared'])
      assert.match(String((await named('first'))[1]), /^first@sha256:/, 'it has no tag')
    })

    test('an image that the asker may not see is not named, nor counted', async () => {
      const world = await begin()
      await examined(world, 'secret/base', ['D'], { tags: ['1'] })
      const app = await examined(world, 'shop/api', ['D', 'A'])
      const shop = someone('shop/**')
      assert.deepEqual(await baseOf(world, app, shop), { known: 'hidden', layers: 1 })
      assert.deepEqual(await baseOf(world, app, shop, ['secret/**']), { known: 'hidden', layers: 1 })
      await examined(world, 'shop/base', ['D'], { note: 'another', tags: ['2'] })
      const { names, others, known } = await baseOf(world, app, shop, ['secret/**'])
      assert.deepEqual([known, names, others], ['image', ['shop/base:2'], undefined])
      assert.deepEqual((await baseOf(world, app, everything, ['secret/**'])).names, ['secret/base:1'])
    })

    test('the same image in a repository of theirs is named by that one alone', async () => {
      const world = await begin()
      for (const repository of ['secret/base', 'shop/base']) await examined(world, repository, ['D'], { tags: ['1'] })
      const app = await examined(world, 'shop/api', ['D', 'A'])
      assert.deepEqual((await baseOf(world, app, someone('shop/**'))).names, ['shop/base:1'])
      const scoped = { ...everything, scope: new Map([['shop/api', new Set(['pull'])]]) }
      assert.deepEqual(await baseOf(world, app, scoped), { known: 'hidden', layers: 1 })
    })

    test('what an image says of itself is shown, and proves nothing', async () => {
      const world = await begin()
      const name = 'org.opencontainers.image.base.name'
      const app = await examined(world, 'a', ['D', 'A'], { annotations: { [name]: 'docker.io/library/debian:12' } })
      const { known, claim } = await baseOf(world, app)
      assert.deepEqual([known, claim], ['unknown', { name: 'docker.io/library/debian:12' }])
      const config = JSON.stringify({ os: 'linux', config: { Labels: { [name]: 'x'.repeat(5000) } } })
      const labelled = await examined(world, 'b', ['D', 'B'], { config })
      assert.equal((await baseOf(world, labelled)).claim?.name?.length, 300)
      const huge = JSON.stringify({ os: 'linux', config: { Labels: { [name]: 'x', other: 'y'.repeat(1024 * 1024) } } })
      assert.equal((await baseOf(world, await examined(world, 'c', ['D', 'C'], { config: huge }))).claim, undefined)
    })

    test('who builds on an image, by pages, and only what the asker may see', async () => {
      const world = await begin()
      const base = await examined(world, 'library/debian', ['D'])
      await examined(world, 'library/node', ['D', 'N'])
      for (let at = 0; at < 5; at++) await examined(world, `shop/app${at}`, ['D', 'N', `A${at}`], { tags: [`t${at}`] })
      await examined(world, 'shop/other', ['E', 'N'])
      const all: string[] = []
      for (let next: string | undefined, pages = 0; pages === 0 || next !== undefined; pages++) {
        const page = await builtOn(world, base, everything, { limit: 4, ...(next === undefined ? {} : { after: next }) })
        all.push(...page.items.map(({ repository, tags }) => [repository, ...tags].join(' ')))
        next = page.next
      }
      const apps = [0, 1, 2, 3, 4].map((at) => `shop/app${at} t${at}`)
      assert.deepEqual(all, ['library/node', ...apps])
      const library = await builtOn(world, base, someone('library/**'))
      assert.deepEqual(
        library.items.map(({ repository }) => repository),
        ['library/node'],
      )
      const one = await builtOn(world, base, everything, { repository: 'shop/app3' })
      assert.equal(one.items.length, 1)
      const pending = await builtOn(world, base, everything, { repository: 'shop/app3', decision: 'pending' })
      assert.deepEqual(pending, { items: [] }, 'all are judged')
      await assert.rejects(builtOn(world, base, someone('shop/**')), { code: 'MANIFEST_UNKNOWN' })
      await assert.rejects(builtOn(world, await pushed(world, 'a', ['not read']), everything), { code: 'INPUT_INVALID' })
    })
  })
}

const everything = someone('**')

function someone(pattern: string): Principal {
  const grants: Grant[] = [{ action: 'pull', pattern }]
  return { kind: 'user', name: 'somebody', grants }
}

interface Given {
  tags?: string[]
  note?: string
  annotations?: Json
  config?: string
}

/** Its layers' texts are read as what they are by the worker of the tests; one that begins with `other` is no archive. */
async function pushed(world: FlowWorld, repository: string, layers: string[], given: Given = {}): Promise<Pushed> {
  const made = imageJson(layers)
  const annotations = { ...given.annotations, ...(given.note === undefined ? {} : { note: given.note }) }
  const json: Json = { ...made.json, annotations }
  const blobs = [...made.blobs]
  if (given.config !== undefined) {
    blobs[0] = given.config
    json['config'] = descriptor(mediaTypes.ociConfig, given.config)
  }
  return pushManifest(world, repository, json, { blobs, tags: given.tags ?? [] })
}

async function examined(world: FlowWorld, repository: string, layers: string[], given: Given = {}): Promise<Pushed> {
  const image = await pushed(world, repository, layers, given)
  await world.examinations.examine(image.digest, -1)
  return image
}

async function baseOf(world: FlowWorld, image: Pushed, who = everything, declared: string[] = []) {
  const patterns = declared.map((text) => parseBasePattern(text) ?? assert.fail(text))
  const queries = createBaseQueries({ records: world.records, blobs: world.blobs, declared: patterns })
  return queries.of(who, (await judgedOf(world, image)).id)
}

function builtOn(world: FlowWorld, base: Pushed, who: Principal, more: Partial<ImageQuery> = {}) {
  return listBuiltOn(world.records, who, { limit: 100, inUseSince: 0, ...more, base: base.digest })
}
