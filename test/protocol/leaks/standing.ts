// How things stand for each kind of caller: rights, tokens, mounts, lists, expiry, and the policy that refuses nothing.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { mediaTypes } from '../../../src/model/manifest.ts'
import { artifactOf } from '../../support/images.ts'
import { cacheIndex } from '../../support/buildkit.ts'
import type { Asker } from '../support/asker.ts'
import { cleanImage, heldImage, heldLayer, maliciousImage, partsOf, rootBytes, warnedImage } from '../support/images.ts'
import { expectError, expectHeld, expectOk, jsonOf } from '../support/shapes.ts'
import type { Records, World } from '../support/world.ts'

export function standingSuite({ name: where, open }: Records): void {
  describe(`who stands how, over ${where}`, () => {
    let world: World
    let puller: Asker
    let developer: Asker

    before(async () => {
      world = await open()
      puller = await world.addRobot('puller', 'pull=shop/**')
      developer = await world.addRobot('developer', 'pull=shop/**', 'push=shop/**', 'delete=shop/**')
    })
    after(() => world[Symbol.asyncDispose]())

    test('HEAD and GET of what is held, by each kind of caller', async () => {
      const repository = 'shop/kinds'
      const held = await heldImage('kinds')
      assert.equal(await world.push(repository, held, '1'), 'deny')
      const deleter = await world.addRobot('deleter', 'delete=shop/**')
      const pusherOnly = await world.addRobot('pusher-only', 'push=shop/**')
      const reader = await world.addRobot('reader', 'read-quarantined=shop/**')
      const scope = (actions: string) => `repository:${repository}:${actions}`
      const callers: [string, Asker, { head: number; get: number; headBlob: number; getBlob: number }][] = [
        ['puller, Basic', puller, { head: 403, get: 403, headBlob: 403, getBlob: 403 }],
        ['puller, Bearer', await puller.by(scope('pull')), { head: 403, get: 403, headBlob: 403, getBlob: 403 }],
        ['puller, Bearer that asked for push', await puller.by(scope('pull,push')), { head: 403, get: 403, headBlob: 403, getBlob: 403 }],
        ['pusher, Basic', developer, { head: 200, get: 403, headBlob: 200, getBlob: 403 }],
        ['pusher, Bearer to pull', await developer.by(scope('pull')), { head: 403, get: 403, headBlob: 403, getBlob: 403 }],
        ['pusher, Bearer to push', await developer.by(scope('pull,push')), { head: 200, get: 403, headBlob: 200, getBlob: 403 }],
        ['pusher, Bearer to delete', await developer.by(scope('pull,delete')), { head: 200, get: 403, headBlob: 403, getBlob: 403 }],
        ['who may only push', pusherOnly, { head: 200, get: 403, headBlob: 200, getBlob: 403 }],
        ['who may only delete', deleter, { head: 200, get: 403, headBlob: 403, getBlob: 403 }],
        ['who may read the quarantine', reader, { head: 200, get: 200, headBlob: 200, getBlob: 200 }],
        ['who may read it, Bearer', await reader.by(scope('pull')), { head: 200, get: 200, headBlob: 200, getBlob: 200 }],
        ['the administrator', world.admin, { head: 200, get: 403, headBlob: 200, getBlob: 403 }],
        ['nobody', world.anonymous, { head: 401, get: 401, headBlob: 401, getBlob: 401 }],
      ]
      for (const [name, caller, expected] of callers) {
        const blob = `/v2/${repository}/blobs/${partsOf(held).layers[1]}`
        const seen = {
          head: (await caller.head(`/v2/${repository}/manifests/1`)).status,
          get: (await caller.get(`/v2/${repository}/manifests/1`)).status,
          headBlob: (await caller.head(blob)).status,
          getBlob: (await caller.get(blob)).status,
        }
        assert.deepEqual(seen, expected, name)
      }
    })

    test('no mount out of quarantine, named or anonymous; the right to push there does', async () => {
      const held = await heldImage('mounted')
      assert.equal(await world.push('shop/mounted', held, '1'), 'deny')
      const digest = partsOf(held).layers[1] ?? ''
      const mover = await world.addRobot('mover', 'pull=shop/**', 'pull=mine/**', 'push=mine/**')
      const reader = await world.addRobot('moving-reader', 'read-quarantined=shop/**', 'pull=mine/**', 'push=mine/**')
      for (const asker of [
        mover,
        reader,
        await mover.by('repository:mine/copy:pull,push'),
        await mover.by('repository:mine/copy:pull,push repository:shop/mounted:pull'),
      ]) {
        for (const query of [
          `mount=${digest}&from=shop/mounted`,
          `mount=${digest}`,
          `mount=${digest}&from=`,
          `mount=${digest}&from=mine/copy`,
          `mount=${digest}&from=shop/never`,
        ]) {
          const answer = expectOk(await asker.ask(`/v2/mine/copy/blobs/uploads/?${query}`, { method: 'POST' }), 202)
          assert.match(answer.headers.get('location') ?? '', /^\/v2\/mine\/copy\/blobs\/uploads\/[0-9a-f-]{36}$/)
          expectError(await asker.get(`/v2/mine/copy/blobs/${digest}`), 404, 'BLOB_UNKNOWN')
        }
      }
      const builder = await world.addRobot('builder', 'pull=shop/**', 'push=shop/**', 'pull=mine/**', 'push=mine/**')
      expectOk(await builder.ask(`/v2/mine/copy/blobs/uploads/?mount=${digest}&from=shop/mounted`, { method: 'POST' }), 201)
      expectHeld(await builder.get(`/v2/mine/copy/blobs/${digest}`), /no image that may be pulled holds/)
      const borrower = artifactOf('application/vnd.example', [
        { mediaType: 'text/plain', bytes: held.blobs.get(digest) ?? Buffer.alloc(0) },
      ])
      assert.equal(await world.push('mine/copy', borrower), 'deny')
      expectHeld(await builder.get(`/v2/mine/copy/blobs/${digest}`))
    })

    test('a mount of what may be read, named and anonymous, works and nothing is sent again', async () => {
      const clean = await cleanImage('mount')
      assert.equal(await world.push('shop/mount', clean, '1'), 'allow')
      const mover = await world.addRobot('fair-mover', 'pull=shop/mount', 'pull=yours/**', 'push=yours/**')
      const digests = [...clean.blobs.keys()]
      for (const [at, from] of ['&from=shop/mount', ''].entries()) {
        const answer = expectOk(await mover.ask(`/v2/yours/copy/blobs/uploads/?mount=${digests[at]}${from}`, { method: 'POST' }), 201)
        assert.equal(answer.headers.get('docker-content-digest'), digests[at])
      }
    })

    test('who may not pull a repository takes nothing out of it by mount, and is told nothing by it', async () => {
      const clean = await cleanImage('foreign')
      assert.equal(await world.push('shop/foreign', clean, '1'), 'allow')
      const stranger = await world.addRobot('mount-stranger', 'pull=theirs/**', 'push=theirs/**')
      const digest = partsOf(clean).config
      const answers = []
      for (const query of [`mount=${digest}&from=shop/foreign`, `mount=${digest}`, `mount=sha256:${'0'.repeat(64)}&from=shop/never`]) {
        const answer = expectOk(await stranger.ask(`/v2/theirs/copy/blobs/uploads/?${query}`, { method: 'POST' }), 202)
        answers.push(
          JSON.stringify(
            [...answer.headers].filter(([name]) => !['date', 'location', 'docker-upload-uuid', 'x-request-id'].includes(name)),
          ),
        )
      }
      assert.equal(new Set(answers).size, 1)
    })

    test('sha512 references are judged as all others', async () => {
      const layer = await heldLayer('sha512')
      const digest = (bytes: Buffer) => `sha512:${createHash('sha512').update(bytes).digest('hex')}`
      const config = Buffer.from(
        JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [layer.diffId] } }),
      )
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config: { mediaType: mediaTypes.ociConfig, digest: digest(config), size: config.length },
          layers: [{ mediaType: layer.descriptor.mediaType, digest: digest(layer.bytes), size: layer.bytes.length }],
        }),
      )
      for (const bytes of [config, layer.bytes]) expectOk(await developer.upload('shop/long', bytes, digest(bytes)), 201)
      const put = expectOk(await developer.put('shop/long', digest(manifest), mediaTypes.ociManifest, manifest), 201)
      assert.equal(put.headers.get('docker-content-digest'), digest(manifest))
      assert.equal(await world.decision(`shop/long@${digest(manifest)}`), 'deny')
      expectHeld(await puller.get(`/v2/shop/long/manifests/${digest(manifest)}`), /^lazaret: shop\/long@sha512:/)
      expectHeld(await puller.get(`/v2/shop/long/blobs/${digest(layer.bytes)}`))
      expectError(await puller.get(`/v2/shop/long/blobs/${layer.descriptor.digest}`), 404, 'BLOB_UNKNOWN')
    })

    test('referrers, tags and catalog go by grants; what a referrer points to is judged', async () => {
      const subject = await cleanImage('subject')
      assert.equal(await world.push('shop/referred', subject, '1'), 'allow')
      const bad = artifactOf(
        'application/vnd.example.bundle',
        [{ mediaType: 'application/octet-stream', bytes: (await heldLayer('referrer')).bytes }],
        { subject: subject.root },
      )
      assert.equal(await world.push('shop/referred', bad), 'deny')
      const listed = jsonOf<{ manifests: { digest: string }[] }>(
        expectOk(await puller.get(`/v2/shop/referred/referrers/${subject.root.digest}`)),
      )
      assert.deepEqual(
        listed.manifests.map((one) => one.digest),
        [bad.root.digest],
      )
      expectHeld(await puller.get(`/v2/shop/referred/manifests/${bad.root.digest}`))
      const stranger = await world.addRobot('list-stranger', 'pull=other/**')
      for (const path of [`referrers/${subject.root.digest}`, 'tags/list']) {
        expectError(await stranger.get(`/v2/shop/referred/${path}`), 403, 'DENIED')
        expectError(await world.anonymous.get(`/v2/shop/referred/${path}`), 401, 'UNAUTHORIZED')
        expectError(await (await developer.by('repository:shop/other:pull')).get(`/v2/shop/referred/${path}`), 401, 'UNAUTHORIZED')
      }
      assert.deepEqual(jsonOf(expectOk(await stranger.get('/v2/_catalog'))), { repositories: [] })
      expectError(await (await stranger.by('repository:other/own:pull')).get('/v2/_catalog'), 401, 'UNAUTHORIZED')
      assert.deepEqual(jsonOf(expectOk(await (await stranger.by('registry:catalog:*')).get('/v2/_catalog'))), { repositories: [] })
    })

    test('alternatives are tags of the same repository that pass, and of no other', async () => {
      assert.equal(await world.push('shop/secret', await cleanImage('alternative'), 'clean'), 'allow')
      assert.equal(await world.push('shop/alternative', await heldImage('alternative'), 'bad'), 'deny')
      assert.equal(await world.push('shop/alternative', await warnedImage('alternative'), 'warned'), 'warn')
      assert.equal(
        await world.push(
          'shop/alternative',
          artifactOf('application/vnd.example', [{ mediaType: 'text/plain', bytes: Buffer.from('x') }]),
          'artifact',
        ),
        'allow',
      )
      const narrow = await world.addRobot('narrow', 'pull=shop/alternative')
      const answer = await narrow.get('/v2/shop/alternative/manifests/bad')
      const { alternatives } = expectHeld(answer).detail as { alternatives: { reference: string }[] }
      assert.deepEqual(
        alternatives.map((one) => one.reference),
        ['shop/alternative:warned'],
      )
      assert.ok(!answer.body.toString('utf8').includes('secret'))
    })

    test('a verdict past its time is none: for tag, digest, blob, mount and alternatives', async () => {
      const repository = 'shop/expired'
      const content = await cleanImage('expired')
      await using brief = await open({ env: { LAZARET_GATE_WAIT_SECONDS: '0' } })
      const asker = await brief.addRobot('asker', 'pull=shop/**', 'pull=mine/**', 'push=mine/**')
      assert.equal(await brief.push(repository, content, '1'), 'allow')
      assert.equal(await brief.push(repository, await heldImage('expired'), 'held'), 'deny')
      expectOk(await asker.get(`/v2/${repository}/manifests/1`))
      const setUntil = (at: number | null) =>
        brief.house.records.write((tx) => tx.updateTable('verdicts').set({ valid_until: at }).where('decision', '=', 'allow').execute())
      await setUntil(Date.now() - 1)
      for (const reference of ['1', content.root.digest])
        expectHeld(await asker.get(`/v2/${repository}/manifests/${reference}`), /is being examined/)
      for (const digest of content.blobs.keys()) expectHeld(await asker.get(`/v2/${repository}/blobs/${digest}`), /is being examined/)
      expectOk(await asker.ask(`/v2/mine/copy/blobs/uploads/?mount=${partsOf(content).config}&from=${repository}`, { method: 'POST' }), 202)
      const problem = expectHeld(await asker.get(`/v2/${repository}/manifests/held`))
      assert.deepEqual((problem.detail as { alternatives: unknown[] }).alternatives, [])
      await setUntil(Date.now() + 60_000)
      expectOk(await asker.get(`/v2/${repository}/manifests/1`))
      for (const digest of content.blobs.keys()) expectOk(await asker.get(`/v2/${repository}/blobs/${digest}`))
    })

    test('a malicious package holds an image without a fix to point to', async () => {
      assert.equal(await world.push('shop/malicious', await maliciousImage('malicious'), '1'), 'deny')
      expectHeld(await puller.get('/v2/shop/malicious/manifests/1'), /is held: MAL-2026-90003 in stolen-parser 1\.0\.0 \(malicious\)/)
    })

    test('a pull that comes before the verdict waits for it, and gets it', async () => {
      for (const [salt, make, status] of [
        ['waits-clean', cleanImage, 200],
        ['waits-held', heldImage, 403],
      ] as const) {
        const content = await make(salt)
        expectOk(await world.admin.push('shop/waits', content, salt), 201)
        assert.equal((await puller.get(`/v2/shop/waits/manifests/${salt}`)).status, status)
      }
    })

    test('observe judges and refuses nothing: held, pending, loose and cached', async () => {
      await using seeing = await open({ policy: 'observe' })
      const asker = await seeing.addRobot('asker', 'pull=shop/**')
      const held = await heldImage('observed')
      assert.equal(await seeing.push('shop/observed', held, '1'), 'warn')
      const answer = expectOk(await asker.get('/v2/shop/observed/manifests/1'))
      assert.match(answer.headers.get('warning') ?? '', /^299 - "lazaret: CVE-2026-90001 in flawed-parser/)
      assert.deepEqual(answer.body, rootBytes(held))
      for (const [digest, bytes] of held.blobs) assert.deepEqual(expectOk(await asker.get(`/v2/shop/observed/blobs/${digest}`)).body, bytes)
      const loose = Buffer.from('loose')
      const digest = `sha256:${createHash('sha256').update(loose).digest('hex')}`
      expectOk(await seeing.admin.upload('shop/observed', loose, digest), 201)
      expectOk(await asker.get(`/v2/shop/observed/blobs/${digest}`))
      expectOk(await seeing.admin.push('shop/observed', cacheIndex([await heldLayer('observed')]), 'cache'), 201)
      expectHeld(await asker.get('/v2/shop/observed/manifests/cache'), /a build cache/)
    })

    test('observe does not wait either: what is pending passes at once', async () => {
      await using idle = await open({ policy: 'observe', idle: true, env: { LAZARET_GATE_WAIT_SECONDS: '20' } })
      const asker = await idle.addRobot('asker', 'pull=shop/**')
      const content = await cleanImage('at-once')
      expectOk(await idle.admin.push('shop/at-once', content, '1'), 201)
      const started = performance.now()
      expectOk(await asker.get('/v2/shop/at-once/manifests/1'))
      for (const digest of content.blobs.keys()) expectOk(await asker.get(`/v2/shop/at-once/blobs/${digest}`))
      assert.ok(performance.now() - started < 5000)
    })
  })
}
