import assert from 'node:assert/strict'
import type { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import type { Answer } from '../kit/http.ts'
import type { Principal } from '../model/access.ts'
import { mediaTypes } from '../model/manifest.ts'
import type { Decision } from '../model/verdict.ts'
import { markDamaged } from '../store/scrub/damage.ts'
import { descriptor, digestOfBytes, imageJson, pushBlob, pushImage, pushManifest, repository } from '../store/suites/world.ts'
import { begin, judge, outcome, puller, pusher, reason, request, scanner, who } from './gate.testing.ts'

describe('manifests', () => {
  test('who gets what, by tag and by digest, on GET and HEAD', async () => {
    const { world, gate, passed } = await begin()
    const table: [Decision | null, string][] = [
      ['allow', '200'],
      ['warn', '200'],
      ['deny', '403 DENIED'],
      ['pending', '403 DENIED again'],
      [null, '403 DENIED again'],
    ]
    for (const [decision, wanted] of table) {
      const pushed = await pushImage(world, 'shop/api', ['t'])
      if (decision !== null) await judge(world, pushed, decision)
      for (const reference of ['t', pushed.digest]) {
        for (const caller of [puller, pusher, who('admin')]) {
          assert.equal(await outcome(gate.getManifest(request(caller, reference))), wanted, `${decision}`)
          const looks = caller !== puller
          assert.equal(await outcome(gate.headManifest(request(caller, reference))), looks ? '200' : wanted, `${decision}`)
        }
        assert.deepEqual(passed.splice(0), [])
        assert.equal(await outcome(gate.getManifest(request(scanner, reference))), '200')
        assert.deepEqual(
          passed.splice(0),
          decision === 'allow' || decision === 'warn' ? [] : [`shop/api@${pushed.digest} ${decision ?? 'pending'}`],
        )
      }
    }
  })

  test('the answer is the bytes as they were pushed', async () => {
    const { world, gate } = await begin()
    const pushed = await pushImage(world, 'shop/api', ['t'])
    await judge(world, pushed, 'warn')
    const answer = await gate.getManifest(request(puller, 't'))
    assert.ok(Buffer.from(answer.body as Buffer).equals(pushed.bytes))
    assert.deepEqual(answer.headers, {
      'content-type': mediaTypes.ociManifest,
      'content-length': String(pushed.bytes.length),
      'docker-content-digest': pushed.digest,
      etag: `"${pushed.digest}"`,
      warning: '299 - "lazaret: CVE-1 in openssl 1 (critical), fixed in 2"',
    })
  })

  test('the refusal has the reason, and what may be pulled instead', async () => {
    const { world, gate } = await begin()
    const [good, bad] = [await pushImage(world, 'shop/api', ['1.1']), await pushImage(world, 'shop/api', ['1.0'])]
    await judge(world, good, 'allow')
    await judge(world, bad, 'deny')
    await assert.rejects(gate.getManifest(request(puller, '1.0')), {
      code: 'DENIED',
      message: `lazaret: shop/api@${bad.digest.slice(0, 19)} is held: CVE-1 in openssl 1 (critical), fixed in 2. Use shop/api:1.1.`,
      detail: { image: `shop/api@${bad.digest}`, reasons: [reason], alternatives: [{ reference: 'shop/api:1.1', digest: good.digest }] },
    })
    await assert.rejects(gate.getManifest(request(pusher, '1.0')), /grant read-quarantined\.$/)
  })

  test('a verdict past its time is none', async () => {
    const { world, gate } = await begin()
    const pushed = await pushImage(world, 'shop/api', ['t'])
    await judge(world, pushed, 'allow', world.clock.now + 1000)
    assert.equal(await outcome(gate.getManifest(request(puller, 't'))), '200')
    world.clock.now += 1000
    assert.equal(await outcome(gate.getManifest(request(puller, 't'))), '403 DENIED again')
    await judge(world, pushed, 'deny', world.clock.now)
    assert.equal(await outcome(gate.getManifest(request(puller, 't'))), '403 DENIED again')
  })

  test('it waits for the verdict, and answers by it', async () => {
    for (const [decision, wanted] of [
      ['allow', '200'],
      ['deny', '403 DENIED'],
    ] as const) {
      const { world, gate, waiters } = await begin({ waitSeconds: 30 })
      const pushed = await pushImage(world, 'shop/api', ['t'])
      const waiting = Array.from({ length: 20 }, () => outcome(gate.getManifest(request(puller, 't'))))
      const id = (await world.manifests.byDigest('shop/api', pushed.digest))?.id ?? 0
      await judge(world, pushed, 'pending')
      waiters.announce(pushed.repositoryId, id)
      await judge(world, pushed, decision)
      waiters.announce(pushed.repositoryId, id)
      assert.deepEqual(new Set(await Promise.all(waiting)), new Set([wanted]))
      assert.equal(waiters.waiting(), 0)
    }
  })

  test('while it waits the client may hang up, or the manifest be deleted', async () => {
    const { world, gate, waiters } = await begin({ waitSeconds: 30 })
    const pushed = await pushImage(world, 'shop/api', ['t'])
    const hungUp = new AbortController()
    const [gone, deleted] = [
      outcome(gate.getManifest(request(puller, 't', { signal: hungUp.signal }))),
      outcome(gate.getManifest(request(puller, pushed.digest))),
    ]
    await new Promise((resolve) => setTimeout(resolve, 5))
    hungUp.abort()
    assert.equal(await gone, '403 DENIED again')
    await world.manifests.deleteManifest(pushed.repositoryId, pushed.digest, world.clock.now)
    assert.equal(await deleted, '404 MANIFEST_UNKNOWN')
    assert.equal(waiters.waiting(), 0)
  })

  test('what is not there, or elsewhere, is unknown', async () => {
    const { world, gate } = await begin()
    const pushed = await pushImage(world, 'shop/other', ['t'])
    for (const reference of ['t', pushed.digest, 'none', '', '../x', 'sha256:x', 'a\0b', 'x'.repeat(5000)]) {
      for (const caller of [puller, pusher, scanner]) {
        assert.equal(await outcome(gate.getManifest(request(caller, reference))), '404 MANIFEST_UNKNOWN')
        assert.equal(await outcome(gate.headManifest(request(caller, reference))), '404 MANIFEST_UNKNOWN')
      }
    }
  })

  test('under observe nothing waits and nothing is refused', async () => {
    const { world, gate, passed } = await begin({ enforcing: false, waitSeconds: 1000 })
    for (const decision of ['deny', 'pending', null] as const) {
      const pushed = await pushImage(world, 'shop/api', ['t'])
      if (decision !== null) await judge(world, pushed, decision)
      assert.equal(await outcome(gate.getManifest(request(puller, 't'))), '200')
    }
    assert.deepEqual(passed, [])
  })
})

describe('blobs', () => {
  test('a blob goes by the best manifest of this repository that holds it', async () => {
    const { world, gate } = await begin()
    const held = await pushImage(world, 'shop/api', [], ['shared', 'own'])
    await judge(world, held, 'deny')
    const get = (text: string, caller = puller) => outcome(gate.getBlob(request(caller, digestOfBytes(text))))
    const elsewhere = await pushImage(world, 'shop/other', [], ['shared'])
    await judge(world, elsewhere, 'allow')
    assert.deepEqual([await get('shared'), await get('own')], ['403 DENIED', '403 DENIED'])
    const good = await pushImage(world, 'shop/api', [], ['shared', 'good'])
    assert.equal(await get('shared'), '403 DENIED again')
    await judge(world, good, 'allow')
    assert.deepEqual([await get('shared'), await get('good'), await get('own')], ['200', '200', '403 DENIED'])
    assert.equal(await outcome(gate.headBlob(request(puller, digestOfBytes('own')))), '403 DENIED')
    assert.equal(await outcome(gate.headBlob(request(pusher, digestOfBytes('own')))), '200')
    await world.manifests.deleteManifest(good.repositoryId, good.digest, world.clock.now)
    assert.equal(await get('shared'), '403 DENIED')
  })

  test('under no manifest only the grant reads it, or anyone under observe', async () => {
    for (const enforcing of [true, false]) {
      const { world, gate, passed } = await begin({ enforcing })
      const blob = await pushBlob(world, 'shop/api', 'loose')
      assert.equal(await outcome(gate.getBlob(request(puller, blob.digest))), enforcing ? '403 DENIED' : '200')
      assert.equal(await outcome(gate.getBlob(request(pusher, blob.digest))), enforcing ? '403 DENIED' : '200')
      assert.equal(await outcome(gate.getBlob(request(scanner, blob.digest))), '200')
      assert.deepEqual(passed, enforcing ? [`shop/api@${blob.digest} under no manifest`] : [])
    }
  })

  test('no other manifest lends it a verdict: an index, an artifact that calls it its config, a cache', async () => {
    const { world, gate } = await begin()
    const held = await pushImage(world, 'shop/api', [], ['evil'])
    await judge(world, held, 'deny')
    const child = await pushImage(world, 'shop/api')
    const index = await pushManifest(world, 'shop/api', {
      schemaVersion: 2,
      mediaType: mediaTypes.ociIndex,
      manifests: [child.descriptor, descriptor('application/octet-stream', 'evil')],
    })
    await judge(world, index, 'allow')
    assert.equal(await outcome(gate.getBlob(request(puller, digestOfBytes('evil')))), '403 DENIED')
    const config = '{"records":[]}'
    const cache = await pushManifest(
      world,
      'shop/api',
      { ...imageJson(['evil']).json, config: descriptor(mediaTypes.buildkitCacheConfig, config) },
      { blobs: [config] },
    )
    await judge(world, cache, 'allow')
    assert.equal(await outcome(gate.getBlob(request(puller, digestOfBytes('evil')))), '403 DENIED')
    assert.equal(await outcome(gate.getBlob(request(pusher, digestOfBytes('evil')))), '200')
    assert.equal(await outcome(gate.getBlob(request(scanner, digestOfBytes('evil')))), '200')
  })

  test('whole, in part, and refused where there is no such part', async () => {
    const { world, gate } = await begin()
    await judge(world, await pushImage(world, 'shop/api', [], ['0123456789']), 'allow')
    const get = (range?: string) =>
      gate.getBlob(request(puller, digestOfBytes('0123456789'), range === undefined ? {} : { headers: { range } }))
    const text = async (answer: Answer) => Buffer.concat((await (answer.body as Readable).toArray()) as Buffer[]).toString()
    assert.equal(await text(await get()), '0123456789')
    const part = await get('bytes=2-4')
    assert.deepEqual([part.status, await text(part)], [206, '234'])
    await assert.rejects(get('bytes=10-'), { code: 'RANGE_INVALID' })
  })

  test('what is not there, or elsewhere, is unknown, and a reference that is no digest is refused', async () => {
    const { world, gate } = await begin()
    const blob = await pushBlob(world, 'shop/other', 'x')
    for (const caller of [puller, pusher, scanner])
      assert.equal(await outcome(gate.getBlob(request(caller, blob.digest))), '404 BLOB_UNKNOWN')
    for (const reference of ['', 'x', 'sha256:', '../../etc/passwd'])
      assert.equal(await outcome(gate.getBlob(request(puller, reference))), '400 DIGEST_INVALID')
  })

  test('a blob whose bytes are damaged is served to nobody, and to who pushes it is not here', async () => {
    const { world, gate } = await begin()
    const image = await pushImage(world, 'shop/api', [], ['layer'])
    await judge(world, image, 'allow')
    const blob = (await world.blobs.find('shop/api', digestOfBytes('layer'))) ?? assert.fail()
    await world.records.write((tx) => markDamaged(tx, blob, 'changed', world.clock.now))
    const answers = [gate.getBlob, gate.headBlob].flatMap((ask) =>
      [puller, pusher].map((caller) => outcome(ask(request(caller, blob.digest)))),
    )
    assert.deepEqual(await Promise.all(answers), ['500 UNAVAILABLE', '500 UNAVAILABLE', '500 UNAVAILABLE', '404 BLOB_UNKNOWN'])
    await pushBlob(world, 'shop/api', 'layer')
    assert.equal(await outcome(gate.getBlob(request(puller, blob.digest))), '200')
  })

  test('a blob that a pusher is told of has the grace anew, at no write each time', async () => {
    const { world, gate } = await begin()
    const { digest } = await pushBlob(world, 'shop/api', 'layer')
    const linkedAt = async () => (await world.blobs.find('shop/api', digest))?.linkedAt
    const pushed = world.clock.now
    const head = (caller: Principal) => outcome(gate.headBlob(request(caller, digest)))
    world.clock.now += 49_999
    assert.deepEqual([await head(pusher), await linkedAt()], ['200', pushed])
    world.clock.now += 1
    assert.deepEqual([await head(scanner), await linkedAt()], ['200', pushed], 'who only reads keeps nothing')
    assert.deepEqual([await head(pusher), await linkedAt()], ['200', world.clock.now])
  })

  test('a blob leaves by a mount as it would by a pull, or by the right to push', async () => {
    const { world, gate } = await begin()
    const from = await repository(world, 'shop/api')
    const held = await pushImage(world, 'shop/api', [], ['layer'])
    const take = (caller: Principal) => gate.mayTake(request(caller, ''), from, digestOfBytes('layer'))
    assert.deepEqual([await take(puller), await take(scanner), await take(pusher), await take(who())], [false, false, true, false])
    await judge(world, held, 'deny')
    assert.deepEqual([await take(puller), await take(scanner), await take(pusher)], [false, false, true])
    await judge(world, held, 'allow')
    assert.deepEqual([await take(puller), await take(scanner), await take(who())], [true, true, false])
    await pushBlob(world, 'shop/api', 'loose')
    assert.equal(await gate.mayTake(request(puller, ''), from, digestOfBytes('loose')), false)
  })
})
