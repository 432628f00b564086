import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Answer, OciRequest } from '../kit/http.ts'
import { mediaTypes } from '../model/manifest.ts'
import { repositoryFinder } from '../store/repositories.ts'
import { artifactJson, descriptor, digestOfBytes, pushImage, pushManifest, repository } from '../store/suites/world.ts'
import { createLists, mostInPage } from './lists.ts'
import { begin, bodyOf, puller, request, who } from './gate.testing.ts'

describe('lists', () => {
  test('tags and catalog by pages, with a link to the next', async () => {
    const { world } = await begin()
    const lists = createLists(world.manifests, repositoryFinder(world.records))
    const pushed = await pushImage(world, 'shop/api', ['a', 'b', 'c', 'd', 'e'])
    for (const name of ['shop/web', 'web/x', 'zoo']) await repository(world, name)
    const tags = async (query: string) => lists.tags(request(puller, 'list', { query: new URLSearchParams(query) }))
    assert.deepEqual(bodyOf(await tags('')), { name: 'shop/api', tags: ['a', 'b', 'c', 'd', 'e'] })
    const page = await tags('n=2&last=b')
    assert.deepEqual(
      [bodyOf(page), page.headers['link']],
      [{ name: 'shop/api', tags: ['c', 'd'] }, '</v2/shop/api/tags/list?n=2&last=d>; rel="next"'],
    )
    assert.equal((await tags('n=5')).headers['link'], undefined)
    assert.deepEqual([bodyOf(await tags('n=0')), (await tags('n=0')).headers['link']], [{ name: 'shop/api', tags: [] }, undefined])
    for (const query of ['n=x', 'n=-1', 'n=1.5', 'n=', 'n=9999999999999999', 'n=1e3'])
      await assert.rejects(tags(query), { code: 'PAGINATION_NUMBER_INVALID' }, query)
    assert.equal((bodyOf(await tags('n=999999999')) as { tags: string[] }).tags.length, 5)
    assert.deepEqual(bodyOf(await tags('last=%00')), bodyOf(await tags('')))
    assert.ok(pushed.digest)
    const catalog = async (query: string, caller = puller) =>
      bodyOf(await lists.catalog(request(caller, '', { query: new URLSearchParams(query) })))
    assert.deepEqual(await catalog(''), { repositories: ['shop/api', 'shop/web'] })
    assert.deepEqual(await catalog('n=1&last=shop/api'), { repositories: ['shop/web'] })
    assert.deepEqual(await catalog('', who()), { repositories: [] })
    await assert.rejects(lists.tags(request(puller, 'list', { repository: 'shop/none' })), { code: 'NAME_UNKNOWN' })
  })

  test('referrers: filtered, by pages that end before they are too large, an empty index of nothing', async () => {
    const { world } = await begin()
    const lists = createLists(world.manifests, repositoryFinder(world.records))
    const subject = descriptor(mediaTypes.ociManifest, 'subject')
    for (let at = 0; at < 5; at++) {
      const { json, blobs } = artifactJson(at === 0 ? 'text/first' : 'text/x', [], {
        subject,
        annotations: { pad: 'x'.repeat(1_000_000), at: String(at) },
      })
      await pushManifest(world, 'shop/api', json, { blobs })
    }
    const ask = async (query: string, more: Partial<OciRequest> = {}) =>
      lists.referrers(request(puller, digestOfBytes('subject'), { query: new URLSearchParams(query), ...more }))
    const seen: string[] = []
    let query: string | undefined = ''
    while (query !== undefined) {
      const answer: Answer = await ask(query)
      assert.ok(Number(answer.headers['content-length']) < 4 * 1024 * 1024)
      seen.push(...(bodyOf(answer) as { manifests: { digest: string }[] }).manifests.map((entry) => entry.digest))
      query = /\?(.*)>; rel="next"/.exec(String(answer.headers['link'] ?? ''))?.[1]
    }
    assert.deepEqual([seen.length, seen], [5, seen.toSorted()])
    const filtered = await ask('artifactType=text/first')
    assert.equal((bodyOf(filtered) as { manifests: object[] }).manifests.length, 1)
    assert.equal(filtered.headers['oci-filters-applied'], 'artifactType')
    for (const more of [{ repository: 'shop/none' }, { reference: digestOfBytes('other') }]) {
      assert.deepEqual(bodyOf(await ask('', more)), { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] })
    }
    await assert.rejects(ask('', { reference: 'x' }), { code: 'DIGEST_INVALID' })
    assert.ok(mostInPage <= 1000)
  })
})
