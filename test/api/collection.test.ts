// Collection, undo and the scrub as an operator meets them: by the API and by the command, against the real server.

import assert from 'node:assert/strict'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { shortDigest, type Digest } from '../../src/model/digest.ts'
import { imageOf } from '../support/images.ts'
import { startLazaret, type Lazaret } from '../support/lazaret.ts'
import { lacking } from '../support/tools.ts'

interface Run {
  state: string
  dryRun: boolean
  freed: { blobs: number; manifests: number; bytes: number }
}

describe('collection, asked for', { skip: lacking('setpriv') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test('what was deleted is counted, freed, and said; what is held stays', async () => {
    const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_GC_GRACE_SECONDS: '1' } })
    const protocol = server.protocol(server.developer)
    const [gone, kept] = [await imageOf([{ a: 'only here' }]), await imageOf([{ b: 'stays' }])]
    await protocol.push('shop/api', gone, '1')
    await protocol.push('shop/api', kept, '2')
    assert.equal((await protocol.remove('shop/api', gone.root.digest)).status, 202)
    await sleep(1100)
    const foreseen = await collect(server, '--dry-run')
    assert.deepEqual([foreseen.state, foreseen.dryRun, foreseen.freed.manifests, foreseen.freed.blobs], ['ended', true, 1, gone.blobs.size])
    assert.equal((await objects(server)).length, gone.blobs.size + kept.blobs.size)
    const freed = await collect(server)
    assert.deepEqual(freed.freed, foreseen.freed)
    assert.equal((await objects(server)).length, kept.blobs.size)
    await protocol.read('shop/api', '2')
    const table = await server.lazaret(['gc'])
    assert.deepEqual([table.code, /FREED +COUNT\nblobs +0\n/.test(table.stdout)], [0, true], table.output)
    const listed = JSON.parse((await server.api('/gc')).body.toString()) as { items: Run[] }
    assert.deepEqual(
      listed.items.map((run) => [run.state, run.dryRun, run.freed.blobs]),
      [
        ['ended', false, 0],
        ['ended', false, gone.blobs.size],
        ['ended', true, gone.blobs.size],
      ],
    )
    for (const path of ['/gc', '/gc?id=1', '/gc/deleted', '/damaged', '/scrub'])
      assert.equal((await server.api(path, server.developer)).status, 403, path)
  })

  test('a deletion by mistake is undone, by name, and once', async () => {
    const server = await startLazaret(stack, { policy: 'observe' })
    const protocol = server.protocol(server.developer)
    const image = await imageOf([{ a: 'a' }])
    await protocol.push('shop/api', image, '1')
    await protocol.push('shop/api', image, '2')
    const name = `shop/api@${image.root.digest}`
    await protocol.remove('shop/api', image.root.digest)
    assert.equal((await protocol.manifest('shop/api', '1')).status, 404)
    const listed = await server.lazaret(['gc', 'deleted', '--format', 'json'])
    const [row] = (JSON.parse(listed.stdout) as { items: { repository: string; tags: string[]; deletedBy: string }[] }).items
    assert.deepEqual([row?.repository, row?.tags, row?.deletedBy], ['shop/api', ['1', '2'], 'user:developer'])
    const back = await server.lazaret(['gc', 'undo', name])
    assert.deepEqual([back.code, back.stdout], [0, `${name} is back, tagged 1, 2\n`], back.output)
    await protocol.read('shop/api', '1')
    const again = await server.lazaret(['gc', 'undo', name])
    assert.deepEqual([again.code, /no deleted/.test(again.stderr)], [1, true], again.output)
    for (const wrong of [['undo'], ['undo', 'shop/api'], ['und', name], ['deleted', 'x']])
      assert.equal((await server.lazaret(['gc', ...wrong])).code, 2, wrong.join(' '))
  })

  test('bytes that rot are named and held back, and a push heals them', async () => {
    const server = await startLazaret(stack, { policy: 'balanced' })
    const protocol = server.protocol(server.developer)
    const image = await imageOf([{ a: 'a' }], { packing: 'none' })
    await protocol.push('shop/api', image, '1')
    await eventually(async () => (await protocol.manifest('shop/api', '1')).status === 200)
    const [digest = '', bytes = Buffer.alloc(0)] = [...image.blobs].toSorted((a, b) => b[1].length - a[1].length)[0] ?? []
    const files = await objects(server)
    await server.daemon.stop()
    await damageAll(server, files, bytes.length)
    const later = await startLazaret(stack, { policy: 'balanced', after: server })
    const before = await later.lazaret(['scrub'])
    assert.deepEqual([before.code, /^to be read in this pass +0 +0 /m.test(before.stdout)], [0, true], before.output)
    const started = await later.lazaret(['scrub', 'start', '--format', 'json'])
    assert.ok((JSON.parse(started.stdout) as { dueBlobs: number }).dueBlobs > 0, started.output)
    await eventually(async () => JSON.parse((await later.api('/damaged')).body.toString()).items.length === 1)
    const asked = later.protocol(later.developer)
    await eventually(async () => (await asked.manifest('shop/api', '1')).status === 403)
    const found = await later.lazaret(['scrub'])
    assert.deepEqual(
      [found.code, found.stdout.includes(shortDigest(digest as Digest)), /^damaged +1/m.test(found.stdout)],
      [1, true, true],
      found.output,
    )
    assert.match((await asked.manifest('shop/api', '1')).body.toString(), /damaged on this server's disk/)
    const scope = 'repository:shop/api:pull,push'
    assert.equal((await asked.ask(`/v2/shop/api/blobs/${digest}`, { method: 'HEAD', scope })).status, 404)
    await asked.push('shop/api', image, '1')
    await eventually(async () => (await asked.manifest('shop/api', '1')).status === 200)
    await asked.read('shop/api', '1')
    assert.deepEqual(JSON.parse((await later.api('/damaged')).body.toString()), { items: [] })
    assert.equal((await later.lazaret(['scrub'])).code, 0)
    const log = JSON.parse((await later.api('/audit-log?action=scrub.start')).body.toString()) as { items: unknown[] }
    assert.equal(log.items.length, 1)
  })

  test('a scrub that is turned off is not started, and says so', async () => {
    const server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_SCRUB_BYTES_PER_SECOND: '0' } })
    const refused = await server.lazaret(['scrub', 'start'])
    assert.deepEqual([refused.code, /the scrub is turned off/.test(refused.output)], [1, true], refused.output)
    assert.match((await server.lazaret(['scrub'])).stdout, /turned off/)
  })
})

async function collect(server: Lazaret, ...more: string[]): Promise<Run> {
  const outcome = await server.lazaret(['gc', ...more, '--format', 'json'])
  assert.equal(outcome.code, 0, outcome.output)
  return JSON.parse(outcome.stdout) as Run
}

async function objects(server: Lazaret): Promise<string[]> {
  const entries = await readdir(join(server.folder, 'data', 'blobs'), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

async function damageAll(server: Lazaret, files: string[], size: number): Promise<void> {
  let damaged = 0
  for (const file of files) {
    if ((await stat(file)).size !== size) continue
    await writeFile(file, Buffer.alloc(size, 7))
    damaged++
  }
  assert.equal(damaged, 1, `one file of ${size} bytes in ${server.folder}`)
}

async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    if (await holds()) return
    await sleep(100)
  }
  throw new Error('it did not come about in 30 s')
}
