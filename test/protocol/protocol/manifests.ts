// Manifests, tags and lists as clients use them, beyond what the conformance suite looks at.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { mediaTypes } from '../../../src/model/manifest.ts'
import { type Content, contentOf, descriptorOf, digestsOf } from '../../support/content.ts'
import { artifactOf, imageOf, indexOf } from '../../support/images.ts'
import type { Answer } from '../../support/protocol.ts'
import { readContent } from '../../support/transfer.ts'
import type { Asker } from '../support/asker.ts'
import { cleanImage, heldImage, manifestOf, partsOf, rootBytes, warnedImage } from '../support/images.ts'
import { expectError, expectHeld, expectOk, jsonOf } from '../support/shapes.ts'
import type { OpenWorld, World } from '../support/world.ts'

export function manifestProtocol(open: OpenWorld): void {
  describe('manifests, tags and lists as clients use them', () => {
    let world: World
    let pusher: Asker

    before(async () => {
      world = await open({ env: { LAZARET_PUBLIC: 'open/**' } })
      pusher = await world.addRobot('pusher', 'pull=**', 'push=**', 'delete=**')
    })
    after(() => world[Symbol.asyncDispose]())

    test('several tags in one push by digest, each told back', async () => {
      const image = await cleanImage('tags')
      await world.push('shop/tags', image)
      const path = `/v2/shop/tags/manifests/${image.root.digest}`
      const put = (query: string) =>
        pusher.ask(`${path}${query}`, { method: 'PUT', body: rootBytes(image), headers: { 'content-type': image.root.mediaType } })
      const answer = expectOk(await put('?tag=one&tag=two&tag=three&tag=one'), 201)
      assert.deepEqual(answer.headers.get('oci-tag')?.split(', ').toSorted(), ['one', 'three', 'two'])
      assert.deepEqual(await tags('shop/tags'), ['one', 'three', 'two'])
      for (const tag of ['one', 'two', 'three'])
        assert.equal((await pusher.get(`/v2/shop/tags/manifests/${tag}`)).headers.get('docker-content-digest'), image.root.digest)
      assert.equal(expectOk(await put(''), 201).headers.get('oci-tag'), null)
    })

    test('GET and HEAD give the same headers, by tag and by digest', async () => {
      const image = await cleanImage('heads')
      await world.push('shop/heads', image, '1')
      for (const reference of ['1', image.root.digest]) {
        const [get, head] = [
          expectOk(await pusher.get(`/v2/shop/heads/manifests/${reference}`)),
          expectOk(await pusher.head(`/v2/shop/heads/manifests/${reference}`)),
        ]
        const of = (answer: Answer) =>
          Object.fromEntries([...answer.headers].filter(([name]) => !['date', 'connection', 'keep-alive', 'x-request-id'].includes(name)))
        assert.deepEqual(of(head), of(get))
        assert.deepEqual(
          [of(get)['etag'], of(get)['content-length'], of(get)['content-type']],
          [`"${image.root.digest}"`, String(image.root.size), image.root.mediaType],
        )
        assert.deepEqual([get.body, head.body.length], [rootBytes(image), 0])
      }
    })

    test('names of every depth up to the longest', async () => {
      const image = await cleanImage('depth')
      const names = [
        ...Array.from({ length: 20 }, (_, at) => Array.from({ length: at + 1 }, (_, of) => `d${of}`).join('/')),
        'a',
        `${'a'.repeat(127)}/${'b'.repeat(127)}`,
        'x/blobs',
        'x/manifests/y',
        'tags/list',
        'x/blobs/uploads',
        'v2',
        'a.b_c__d---e/f',
      ]
      for (const name of names) {
        assert.equal(await world.push(name, image, 'latest'), 'allow', name)
        assert.deepEqual(digestsOf(await readContent(pusher.ask, name, 'latest')), digestsOf(image), name)
        assert.deepEqual(await tags(name), ['latest'], name)
      }
      assert.ok(names.every((name) => name.length <= 255))
      const held = await heldImage('depth')
      const longest = names.find((name) => name.length === 255) ?? ''
      assert.equal(await world.push(longest, held, 'held'), 'deny')
      expectHeld(await pusher.get(`/v2/${longest}/manifests/held`), /is held: CVE-2026-90001 in flawed-parser/)
    })

    test('Docker schema 2 and OCI side by side, byte for byte under their own types', async () => {
      const [docker, oci] = [await cleanImage('forms', { form: 'docker' }), await cleanImage('forms')]
      const lists = [indexOf([{ content: docker, architecture: 'amd64' }], 'docker'), indexOf([{ content: oci, architecture: 'amd64' }])]
      for (const [tag, content] of [
        ['docker', docker],
        ['oci', oci],
        ['list', lists[0] as Content],
        ['index', lists[1] as Content],
      ] as const) {
        assert.equal(await world.push('shop/forms', content, tag), 'allow', tag)
        const read = expectOk(await pusher.get(`/v2/shop/forms/manifests/${tag}`, { accept: 'application/vnd.oci.image.manifest.v1+json' }))
        assert.equal(read.headers.get('content-type'), content.root.mediaType)
        assert.deepEqual(read.body, rootBytes(content))
      }
    })

    test('fields of others, odd spaces and the order of keys are kept byte for byte', async () => {
      const image = await cleanImage('fields')
      await world.push('shop/fields', image)
      const body = `\n{ "x-vendor" : {"nested":[1,2.50,1e3,null,true]},  "schemaVersion":2, "config": ${JSON.stringify((JSON.parse(rootBytes(image).toString('utf8')) as { config: object }).config)},\t"layers":[],"annotations":{"b":"2","a":"\\u00e9\u00e9"} , "mediaType":"${mediaTypes.ociManifest}" }\r\n`
      expectOk(await pusher.put('shop/fields', 'odd', mediaTypes.ociManifest, body), 201)
      await world.decision('shop/fields:odd')
      assert.equal(expectOk(await pusher.get('/v2/shop/fields/manifests/odd')).body.toString('utf8'), body)
    })

    test('tags and catalog are paged by Link to the end, in one order, nothing twice', async () => {
      const image = await cleanImage('paged')
      await world.push('shop/paged', image)
      const wanted = Array.from({ length: 57 }, (_, at) => ['v', 'V', '_', 'x.'][at % 4] + String(at))
      for (let at = 0; at < wanted.length; at += 19) {
        const query = wanted
          .slice(at, at + 19)
          .map((tag) => `tag=${tag}`)
          .join('&')
        expectOk(
          await pusher.ask(`/v2/shop/paged/manifests/${image.root.digest}?${query}`, {
            method: 'PUT',
            body: rootBytes(image),
            headers: { 'content-type': image.root.mediaType },
          }),
          201,
        )
      }
      for (const n of [1, 7, 57, 58]) {
        const pages = await walk(`/v2/shop/paged/tags/list?n=${n}`)
        assert.equal(pages.length, Math.ceil(57 / n), `n=${n}`)
        assert.deepEqual(
          pages.flatMap((page) => jsonOf<{ tags: string[] }>(page).tags),
          wanted.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
        )
      }
      const all = (await walk('/v2/_catalog')).flatMap((page) => jsonOf<{ repositories: string[] }>(page).repositories)
      const paged = (await walk('/v2/_catalog?n=3')).flatMap((page) => jsonOf<{ repositories: string[] }>(page).repositories)
      assert.deepEqual(paged, all)
      assert.ok(all.length > 9 && new Set(all).size === all.length)
    })

    test('referrers with their type and annotations, by filter, by subject that comes later, and beside the tag schema', async () => {
      const subject = await cleanImage('subject')
      const types = ['application/vnd.example.sbom', 'application/vnd.example.signature']
      const referrers = types.map((type, at) =>
        artifactOf(type, [{ mediaType: 'text/plain', bytes: Buffer.from(`for ${at}`) }], {
          subject: subject.root,
          annotations: { at: String(at) },
        }),
      )
      for (const referrer of referrers) {
        const answer = expectOk(await pusher.push('shop/referrers', referrer), 201)
        assert.equal(answer.headers.get('oci-subject'), subject.root.digest)
      }
      const typed = manifestOf({
        config: { mediaType: 'application/vnd.example.by-config', bytes: Buffer.from('{}') },
        layers: [],
        more: { subject: { mediaType: subject.root.mediaType, digest: subject.root.digest, size: subject.root.size } },
      })
      expectOk(await pusher.push('shop/referrers', typed), 201)
      await world.push('shop/referrers', subject, '1')
      const path = `/v2/shop/referrers/referrers/${subject.root.digest}`
      const list = async (query = '') => expectOk(await pusher.get(`${path}${query}`))
      const entries = jsonOf<{
        schemaVersion: number
        mediaType: string
        manifests: { digest: string; artifactType: string; size: number; mediaType: string; annotations?: object }[]
      }>(await list())
      assert.deepEqual(
        [entries.schemaVersion, entries.mediaType, (await list()).headers.get('content-type')],
        [2, mediaTypes.ociIndex, mediaTypes.ociIndex],
      )
      assert.deepEqual(
        entries.manifests.map((one) => one.artifactType).toSorted(),
        ['application/vnd.example.by-config', ...types].toSorted(),
      )
      const first = entries.manifests.find((one) => one.digest === referrers[0]?.root.digest)
      assert.deepEqual([first?.size, first?.mediaType, first?.annotations], [referrers[0]?.root.size, mediaTypes.ociManifest, { at: '0' }])
      const filtered = await list(`?artifactType=${encodeURIComponent(types[1] ?? '')}`)
      assert.equal(filtered.headers.get('oci-filters-applied'), 'artifactType')
      assert.deepEqual(
        jsonOf<{ manifests: { digest: string }[] }>(filtered).manifests.map((one) => one.digest),
        [referrers[1]?.root.digest],
      )
      assert.deepEqual(
        jsonOf<{ manifests: unknown[] }>(expectOk(await pusher.get(`/v2/shop/referrers/referrers/sha256:${'0'.repeat(64)}`))).manifests,
        [],
      )
      assert.deepEqual(
        jsonOf<{ manifests: unknown[] }>(expectOk(await pusher.get(`/v2/shop/never/referrers/${subject.root.digest}`))).manifests,
        [],
      )

      const fallback = contentOf(
        { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: referrers.map((one) => one.root) } as { mediaType: string },
        [],
        referrers,
      )
      const tag = subject.root.digest.replace(':', '-')
      expectOk(await pusher.push('shop/referrers', fallback, tag), 201)
      assert.deepEqual((await tags('shop/referrers')).toSorted(), ['1', tag].toSorted())
      expectOk(await pusher.ask(`/v2/shop/referrers/manifests/${referrers[0]?.root.digest}`, { method: 'DELETE' }), 202)
      assert.equal(jsonOf<{ manifests: unknown[] }>(await list()).manifests.length, 2)
    })

    test('a tag moves and goes alone; a manifest goes with its tags; both can be pushed again', async () => {
      const [one, two] = [await cleanImage('one'), await cleanImage('two')]
      const path = (reference: string) => `/v2/shop/deletes/manifests/${reference}`
      const remove = (reference: string) => pusher.ask(path(reference), { method: 'DELETE' })
      for (const tag of ['a', 'b']) await world.push('shop/deletes', one, tag)
      await world.push('shop/deletes', two, 'b')
      assert.equal((await pusher.get(path('b'))).headers.get('docker-content-digest'), two.root.digest)
      expectOk(await remove('b'), 202)
      expectError(await remove('b'), 404, 'MANIFEST_UNKNOWN')
      expectOk(await pusher.get(path(two.root.digest)))
      expectOk(await remove(one.root.digest), 202)
      expectError(await remove(one.root.digest), 404, 'MANIFEST_UNKNOWN')
      for (const reference of ['a', one.root.digest]) {
        expectError(await pusher.get(path(reference)), 404, 'MANIFEST_UNKNOWN')
        assert.equal((await pusher.head(path(reference))).status, 404)
      }
      assert.deepEqual(await tags('shop/deletes'), [])
      expectOk(await pusher.put('shop/deletes', 'a', one.root.mediaType, rootBytes(one)), 201)
      assert.equal(await world.decision('shop/deletes:a'), 'allow')
      assert.deepEqual(digestsOf(await readContent(pusher.ask, 'shop/deletes', 'a')), digestsOf(one))
      assert.equal(await world.push('shop/deletes', await heldImage('deletes'), 'a'), 'deny')
      expectHeld(await pusher.get(path('a')))
      expectOk(await remove((await heldImage('deletes')).root.digest), 202)
      assert.equal(await world.push('shop/deletes', await heldImage('deletes'), 'a'), 'deny')
      expectHeld(await pusher.get(path('a')))
    })

    test('twenty clients push the same image at once, and each has pushed it', async () => {
      const image = await imageOf([{ a: 'shared by twenty' }, { b: 'shared too' }])
      const robots = await Promise.all(
        Array.from({ length: 20 }, (_, at) => world.addRobot(`twenty-${at}`, 'pull=crowd/**', 'push=crowd/**')),
      )
      const answers = await Promise.all(
        robots.map((robot, at) => robot.push(at % 2 === 0 ? 'crowd/one' : `crowd/own-${at}`, image, `tag-${at}`)),
      )
      assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [201])
      for (const [at, robot] of robots.entries()) {
        const repository = at % 2 === 0 ? 'crowd/one' : `crowd/own-${at}`
        await world.decision(`${repository}:tag-${at}`)
        assert.deepEqual(digestsOf(await readContent(robot.ask, repository, `tag-${at}`)), digestsOf(image))
      }
      const rows = await world.house.records.read
        .selectFrom('blobs')
        .select('digest')
        .where('digest', 'in', [...image.blobs.keys()])
        .execute()
      assert.equal(rows.length, image.blobs.size)
      assert.equal((await tags('crowd/one')).length, 10)
    })

    test('twenty clients move one tag at once: it is one of theirs, whole', async () => {
      const images = await Promise.all(Array.from({ length: 20 }, (_, at) => cleanImage(`moved-${at}`)))
      for (const image of images) await world.push('shop/moved', image)
      const answers = await Promise.all(images.map((image) => pusher.put('shop/moved', 'latest', image.root.mediaType, rootBytes(image))))
      assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [201])
      const read = expectOk(await pusher.get('/v2/shop/moved/manifests/latest'))
      const found = images.find((image) => image.root.digest === read.headers.get('docker-content-digest'))
      assert.deepEqual(read.body, found === undefined ? undefined : rootBytes(found))
    })

    test('a warning travels with GET, HEAD and the push of what is known, in 120 characters of ASCII', async () => {
      const image = await warnedImage('warned')
      assert.equal(await world.push('shop/warned', image, '1'), 'warn')
      const again = await pusher.put('shop/warned', '2', image.root.mediaType, rootBytes(image))
      for (const answer of [
        expectOk(await pusher.get('/v2/shop/warned/manifests/1')),
        expectOk(await pusher.head('/v2/shop/warned/manifests/1')),
        expectOk(again, 201),
      ]) {
        assert.match(answer.headers.get('warning') ?? '', /^299 - "lazaret: CVE-2026-90002 in abandoned-parser 1\.0\.0 [\x20-\x7e]*"$/)
        assert.ok((answer.headers.get('warning') ?? '').length <= 120)
      }
      assert.equal(await world.push('shop/warned', await cleanImage('warned'), 'clean'), 'allow')
      assert.equal((await pusher.get('/v2/shop/warned/manifests/clean')).headers.get('warning'), null)
    })

    test('what is public is pulled by anyone, through the gate, and nothing else of it', async () => {
      const [clean, held] = [await cleanImage('public'), await heldImage('public')]
      await world.push('open/api', clean, 'clean')
      await world.push('open/api', held, 'held')
      const anyone = world.anonymous
      assert.deepEqual(digestsOf(await readContent(anyone.ask, 'open/api', 'clean')), digestsOf(clean))
      expectOk(await (await anyone.by('repository:open/api:pull')).get('/v2/open/api/manifests/clean'))
      expectHeld(await anyone.get('/v2/open/api/manifests/held'))
      expectHeld(await anyone.get(`/v2/open/api/blobs/${partsOf(held).layers[1]}`))
      for (const [method, path] of [
        ['PUT', 'manifests/x'],
        ['POST', 'blobs/uploads/'],
        ['DELETE', 'manifests/clean'],
      ] as const) {
        expectError(await anyone.ask(`/v2/open/api/${path}`, { method, ...(method === 'PUT' ? { body: '{}' } : {}) }), 401, 'UNAUTHORIZED')
      }
      expectError(await anyone.get('/v2/shop/warned/manifests/1'), 401, 'UNAUTHORIZED')
      const catalog = await anyone.get('/v2/_catalog')
      if (catalog.status === 200) assert.deepEqual(jsonOf(catalog), { repositories: ['open/api'] })
      else expectError(catalog, 401, 'UNAUTHORIZED')
    })

    test('what is not there is 404 with its own code', async () => {
      await world.push('shop/there', await cleanImage('there'), '1')
      expectError(await pusher.get('/v2/shop/there/manifests/absent'), 404, 'MANIFEST_UNKNOWN')
      expectError(await pusher.get('/v2/shop/never/manifests/absent'), 404, 'MANIFEST_UNKNOWN')
      expectError(await pusher.get('/v2/shop/never/tags/list'), 404, 'NAME_UNKNOWN')
      expectError(await pusher.get(`/v2/shop/there/blobs/${descriptorOf('x', Buffer.from('never')).digest}`), 404, 'BLOB_UNKNOWN')
      expectError(await pusher.get('/v2/shop/there/nothing/here'), 404, 'NOT_FOUND')
      for (const path of ['manifests/absent', `blobs/${descriptorOf('x', Buffer.from('never')).digest}`]) {
        const head = await pusher.head(`/v2/shop/there/${path}`)
        assert.deepEqual([head.status, head.body.length], [404, 0])
      }
    })

    async function tags(repository: string): Promise<string[]> {
      return jsonOf<{ name: string; tags: string[] }>(expectOk(await pusher.get(`/v2/${repository}/tags/list`))).tags
    }

    async function walk(from: string): Promise<Answer[]> {
      const pages: Answer[] = []
      for (let next: string | undefined = from; next !== undefined && pages.length < 200; ) {
        const page = expectOk(await pusher.get(next))
        pages.push(page)
        next = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1]
      }
      return pages
    }
  })
}
