// Layers made to hurt who reads them, and lists made to be long.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { gzip, zstdCompress } from 'node:zlib'
import { sql } from 'kysely'
import { pack } from 'tar-stream'
import { mediaTypes } from '../../../src/model/manifest.ts'
import { type Content, sha256 } from '../../support/content.ts'
import { imageOfLayers } from '../../support/images.ts'
import { type Layer, packLayer } from '../../support/layers.ts'
import type { Asker } from '../support/asker.ts'
import { eventually } from '../support/eventually.ts'
import { cleanImage, heldImage } from '../support/images.ts'
import { openSocket } from '../support/raw.ts'
import { expectError, expectHeld, expectOk, jsonOf } from '../support/shapes.ts'
import type { OpenWorld, World } from '../support/world.ts'

const mebibyte = 1024 * 1024

export function layerSuite(open: OpenWorld): void {
  describe('layers and long lists', () => {
    let world: World
    let puller: Asker

    before(async () => {
      world = await open()
      puller = await world.addRobot('puller', 'pull=shop/**')
      await world.push('shop/warm', await cleanImage('warm'), '1')
    })
    after(() => world[Symbol.asyncDispose]())

    test('layers that unfold to gigabytes are held as unreadable, while the server answers and its memory stays', async () => {
      const before = process.memoryUsage().rss
      for (const [name, bytes] of [
        ['gzip', await bombOf(promisify(gzip), 2048)],
        ['zstd', await bombOf(promisify(zstdCompress), 2048)],
      ] as const) {
        assert.ok(bytes.length < 8 * mebibyte, `${name}: ${bytes.length}`)
        const descriptor = { mediaType: `application/vnd.oci.image.layer.v1.tar+${name}`, digest: sha256(bytes), size: bytes.length }
        const judged = world.push('shop/bomb', imageOfLayers([{ descriptor, bytes, diffId: sha256(Buffer.from(name)) }]), name)
        const slowest = await slowestWhile(judged, () => puller.get('/v2/shop/warm/manifests/1'))
        assert.equal(await judged, 'deny', name)
        assert.ok(slowest < 2000, `a pull took ${slowest} ms meanwhile`)
        expectHeld(
          await puller.get(`/v2/shop/bomb/manifests/${name}`),
          /it cannot be read: layer 1 of 1: the layer unpacks to more than \d+ bytes/,
        )
        expectHeld(await puller.get(`/v2/shop/bomb/blobs/${descriptor.digest}`))
      }
      for (const peak of await peaksOfChildren()) assert.ok(peak < 600 * mebibyte, `the worker took ${peak / mebibyte} MiB`)
      assert.ok(process.memoryUsage().rss - before < 200 * mebibyte, `${(process.memoryUsage().rss - before) / mebibyte} MiB more`)
    })

    test('entries with absolute paths, with .., devices and links to the outside are read and create nothing', async () => {
      const planted = `/tmp/lazaret-planted-${crypto.randomUUID()}`
      const layer = await strangeLayer(planted)
      const decision = await world.push('shop/strange', imageOfLayers([layer]), '1')
      assert.ok(decision === 'deny' || decision === 'allow', decision)
      assert.ok(!existsSync(planted) && !existsSync(`/lazaret-planted`) && !existsSync(`${world.folder}/planted`))
      expectOk(await puller.get('/v2/shop/warm/manifests/1'))
    })

    test('packages are found under the path that a runtime would give them, however the tar spells it', async () => {
      for (const spelling of [
        './app/node_modules/flawed-parser/package.json',
        '/app/node_modules/flawed-parser/package.json',
        'app//node_modules/./flawed-parser/package.json',
        '../app/node_modules/flawed-parser/package.json',
        'app/x/../node_modules/flawed-parser/package.json',
      ]) {
        const layer = await tarLayer((archive) =>
          archive.entry({ name: spelling }, JSON.stringify({ name: 'flawed-parser', version: '1.0.0' })),
        )
        assert.equal(await world.push('shop/spelt', imageOfLayers([layer])), 'deny', spelling)
      }
    })

    test('a tar that is cut, has a wrong checksum, or a size of its own is unreadable', async () => {
      const whole = await tarOf((archive) => archive.entry({ name: 'a' }, 'x'.repeat(3000)))
      const flipped = Buffer.from(whole)
      flipped[0] = 0x62
      const huge = Buffer.from(whole)
      huge.write('77777777777\0', 124)
      for (const [name, tar] of Object.entries({ cut: whole.subarray(0, 1500), flipped, huge, noise: Buffer.alloc(2048, 0xa5) })) {
        const content = imageOfLayers([await packLayer(tar, 'gzip', 'oci')])
        assert.equal(await world.push('shop/damaged', content, name), 'deny', name)
        expectHeld(await puller.get(`/v2/shop/damaged/manifests/${name}`), /it cannot be read/)
      }
      const gzip = (await packLayer(whole, 'gzip', 'oci')).bytes
      const cut = gzip.subarray(0, gzip.length - 9)
      const cutLayer = {
        descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: sha256(cut), size: cut.length },
        bytes: cut,
        diffId: sha256(whole),
      }
      assert.equal(await world.push('shop/damaged', imageOfLayers([cutLayer])), 'deny')
    })

    test('a hundred thousand referrers are paged to the end, in little memory', async () => {
      const subject = await heldImage('referred')
      await world.push('shop/referred', subject, '1')
      await insertReferrers(world, 'shop/referred', subject, 100_000, '{}')
      const before = process.memoryUsage().rss
      const seen = new Set<string>()
      let pages = 0
      for (let next: string | undefined = `/v2/shop/referred/referrers/${subject.root.digest}`; next !== undefined; pages++) {
        const answer = expectOk(await puller.get(next))
        assert.ok(answer.body.length <= 4 * mebibyte)
        for (const one of jsonOf<{ manifests: { digest: string }[] }>(answer).manifests) seen.add(one.digest)
        next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
      }
      assert.equal(seen.size, 100_000)
      assert.ok(pages >= 100)
      assert.ok(process.memoryUsage().rss - before < 200 * mebibyte, `${(process.memoryUsage().rss - before) / mebibyte} MiB more`)
      const filtered = jsonOf<{ manifests: unknown[] }>(
        expectOk(await puller.get(`/v2/shop/referred/referrers/${subject.root.digest}?artifactType=no/such`)),
      )
      assert.deepEqual(filtered.manifests, [])
    })

    test('referrers with annotations of megabytes come in pages that clients can read', async () => {
      const subject = await cleanImage('annotated')
      await world.push('shop/annotated', subject, '1')
      await insertReferrers(world, 'shop/annotated', subject, 40, JSON.stringify({ note: 'x'.repeat(2 * mebibyte) }))
      const before = process.memoryUsage().rss
      let count = 0
      for (let next: string | undefined = `/v2/shop/annotated/referrers/${subject.root.digest}`; next !== undefined; ) {
        const answer = expectOk(await puller.get(next))
        assert.ok(answer.body.length <= 4 * mebibyte, `a page of ${answer.body.length} bytes`)
        count += jsonOf<{ manifests: unknown[] }>(answer).manifests.length
        next = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
      }
      assert.equal(count, 40)
      assert.ok(process.memoryUsage().rss - before < 250 * mebibyte, `${(process.memoryUsage().rss - before) / mebibyte} MiB more`)
    })

    test('sixty clients that ask for a large blob and read nothing keep nobody waiting, and are not kept for good', async () => {
      const bytes = Buffer.alloc(32 * mebibyte, 'read me ')
      expectOk(await world.admin.upload('shop/stalled', bytes, sha256(bytes)), 201)
      const reader = await world.addRobot('stalled-reader', 'read-quarantined=shop/**')
      const before = process.memoryUsage().rss
      const atServer: Socket[] = []
      const keep = (socket: Socket): void => void atServer.push(socket)
      world.app.server.on('connection', keep)
      const sockets = await Promise.all(Array.from({ length: 60 }, () => openSocket(world.port)))
      world.app.server.off('connection', keep)
      for (const socket of sockets) {
        socket.pause()
        socket.on('error', () => undefined)
        socket.write(`GET /v2/shop/stalled/blobs/${sha256(bytes)} HTTP/1.1\r\nhost: x\r\nauthorization: ${reader.basic}\r\n\r\n`)
      }
      await eventually(async () => assert.deepEqual([...new Set(atServer.map((socket) => socket.timeout))], [120_000]))
      const started = performance.now()
      expectOk(await puller.get('/v2/shop/warm/manifests/1'))
      assert.ok(performance.now() - started < 2000)
      for (const socket of sockets) socket.destroy()
      assert.ok(process.memoryUsage().rss - before < 300 * mebibyte, `${(process.memoryUsage().rss - before) / mebibyte} MiB more`)
    })

    test('a blob of 256 MiB goes in and out in little memory', async () => {
      const size = 256 * mebibyte
      const chunk = Buffer.alloc(mebibyte, 'lazaret ')
      const digest = digestOfRepeated(chunk, size / mebibyte)
      const before = process.memoryUsage().rss
      let highest = before
      const watch = setInterval(() => (highest = Math.max(highest, process.memoryUsage().rss)), 20)
      const body = ReadableStream.from(repeated(chunk, size / mebibyte))
      const put = await fetch(`http://${world.host}/v2/shop/large/blobs/uploads/?digest=${digest}`, {
        method: 'POST',
        headers: { authorization: world.admin.basic ?? '' },
        body,
        duplex: 'half',
      } as RequestInit)
      assert.equal(put.status, 201, await put.text())
      const reader = await world.addRobot('large-reader', 'read-quarantined=shop/**')
      const got = await fetch(`http://${world.host}/v2/shop/large/blobs/${digest}`, { headers: { authorization: reader.basic ?? '' } })
      let received = 0
      for await (const piece of got.body ?? []) received += (piece as Uint8Array).length
      clearInterval(watch)
      assert.equal(received, size)
      assert.ok(highest - before < 200 * mebibyte, `${(highest - before) / mebibyte} MiB more`)
      expectError(await puller.get(`/v2/shop/large/manifests/1`), 404, 'MANIFEST_UNKNOWN')
    })
  })
}

/** VmHWM of the processes that this one started: the most memory that each ever had. */
async function peaksOfChildren(): Promise<number[]> {
  const pids = (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8')).split(' ').filter((pid) => pid !== '')
  assert.ok(pids.length > 0)
  const states = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/status`, 'utf8')))
  return states.map((text) => Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1] ?? Number.NaN) * 1024)
}

async function slowestWhile(work: Promise<unknown>, ask: () => Promise<unknown>): Promise<number> {
  let slowest = 0
  let running = true
  void work.finally(() => (running = false)).catch(() => undefined)
  while (running) {
    const started = performance.now()
    await ask()
    slowest = Math.max(slowest, performance.now() - started)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return slowest
}

/** A tar that goes on in zeros for so many MiB: the same frame (RFC 8878) or member (RFC 1952) again and again, as both formats allow. */
async function bombOf(compress: (bytes: Buffer) => Promise<Buffer>, mebibytes: number): Promise<Buffer> {
  const head = await compress((await tarOf((archive) => archive.entry({ name: 'zeros' }, ''))).subarray(0, 512))
  const zeros = await compress(Buffer.alloc(64 * mebibyte))
  return Buffer.concat([head, ...Array.from({ length: mebibytes / 64 }, () => zeros)])
}

function tarOf(fill: (archive: ReturnType<typeof pack>) => void): Promise<Buffer> {
  const archive = pack()
  fill(archive)
  archive.finalize()
  return Array.fromAsync(archive as AsyncIterable<Buffer>).then((chunks) => Buffer.concat(chunks))
}

async function tarLayer(fill: (archive: ReturnType<typeof pack>) => void): Promise<Layer> {
  return packLayer(await tarOf(fill), 'gzip', 'oci')
}

function strangeLayer(planted: string): Promise<Layer> {
  return tarLayer((archive) => {
    archive.entry({ name: planted }, 'planted')
    archive.entry({ name: `../../../../../../../..${planted}` }, 'planted')
    archive.entry({ name: '../planted' }, 'planted')
    archive.entry({ name: 'link', type: 'symlink', linkname: '/' })
    archive.entry({ name: 'link/lazaret-planted' }, 'planted')
    archive.entry({ name: 'hard', type: 'link', linkname: '/etc/passwd' })
    archive.entry({ name: 'hard-up', type: 'link', linkname: '../../../../etc/shadow' })
    archive.entry({ name: 'dev/sda', type: 'block-device', devmajor: 8, devminor: 0 })
    archive.entry({ name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 })
    archive.entry({ name: 'pipe', type: 'fifo' })
    archive.entry({ name: '.wh...' }, '')
    archive.entry({ name: '.wh.' }, '')
    archive.entry({ name: 'a/'.repeat(2000) }, '')
  })
}

/** As many rows as pushes would have made, without the pushes. */
async function insertReferrers(world: World, repository: string, subject: Content, count: number, annotations: string): Promise<void> {
  const name = createHash('sha256').update(repository).digest('hex').slice(0, 48)
  await world.house.records.write(async (tx) => {
    await sql`with recursive numbers (number) as (select 1 union all select number + 1 from numbers where number < ${count})
      insert into manifests (digest, kind, media_type, artifact_type, subject, annotations, size, content, created_at)
      select 'sha256:' || ${name} || printf('%016d', number), 'artifact', ${mediaTypes.ociManifest}, 'application/vnd.example.signature',
        ${subject.root.digest}, ${annotations}, ${annotations.length + 400}, '{}', 0 from numbers`.execute(tx)
    await sql`insert into manifest_links (repository_id, manifest_id, pushed_at, pushed_by)
      select r.id, m.id, 0, 'user:admin' from repositories r, manifests m where r.name = ${repository} and m.subject = ${subject.root.digest}`.execute(
      tx,
    )
  })
}

function digestOfRepeated(chunk: Buffer, times: number): string {
  const hash = createHash('sha256')
  for (let at = 0; at < times; at++) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

async function* repeated(chunk: Buffer, times: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < times; at++) yield chunk
}
