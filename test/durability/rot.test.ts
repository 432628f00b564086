// Blobs whose file is not what was written: a pull breaks off rather than ends well, the scrub names it, and a push heals it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { openRecords } from '../../src/store/records/open.ts'
import { eventually } from '../protocol/support/eventually.ts'
import { sha256 } from '../support/content.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { lacking } from '../support/tools.ts'
import { repository, sender, type Send } from './load.ts'
import { headOf, openWire, portOf } from './wire.ts'

/** More than the kernel takes ahead. */
const largeBytes = 24 << 20

describe('a blob whose file was', { skip: lacking('setpriv') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  let server: Lazaret
  let send: Send
  const blobs = {
    cut: randomBytes(100_000),
    gone: randomBytes(1000),
    changed: randomBytes(200_000),
    'cut while it is read': randomBytes(largeBytes),
  }

  before(async () => {
    server = await startLazaret(stack, { policy: 'observe' })
    send = await sender(server)
    for (const blob of Object.values(blobs)) assert.equal((await push(blob)).status, 201)
  })

  test('cut short: GET is an error before the first byte, in whole and in part, with a line in the log', async () => {
    await truncate(await fileOf(blobs.cut), 600)
    const answer = await send('GET', pathOf(blobs.cut))
    assert.equal(answer.status, 500)
    assert.match(await answer.text(), /an object has 600 bytes on disk, where 100000 were written/)
    assert.match(server.daemon.log(), /"level":"error"[^\n]*an object has 600 bytes on disk/)
  })

  test('removed: GET is an error', async () => {
    await rm(await fileOf(blobs.gone))
    assert.ok((await send('GET', pathOf(blobs.gone))).status >= 400)
  })

  test('cut short while it is read: the connection is cut before the length that was promised', async () => {
    const blob = blobs['cut while it is read']
    const file = await fileOf(blob)
    const bearer = `Bearer ${await server.protocol(server.developer).token(`repository:${repository}:pull,push`)}`
    const wire = await openWire(portOf(server.host))
    wire.socket.write(headOf('GET', pathOf(blob), bearer, 0))
    await wire.until(/^HTTP\/1\.1 200 [^]*\r\n\r\n/)
    wire.socket.pause() // the kernel's buffers are filled, and the server waits in the middle of the file
    await truncate(file, 700)
    wire.socket.resume()
    await wire.closed
    const length = wire.text().length
    assert.match(wire.text(), new RegExp(`content-length: ${blob.length}\r\n`))
    assert.ok(length < blob.length, `${length} bytes came`)
  })

  test('changed, with its length: what a client gets is not of the digest that it asked for', async () => {
    const file = await open(await fileOf(blobs.changed), 'r+')
    await file.write(Buffer.from('rot'), 0, 3, 5000)
    await file.close()
    const pulled = await server.protocol(server.developer).ask(pathOf(blobs.changed), { scope: `repository:${repository}:pull` })
    assert.notEqual(sha256(pulled.body), sha256(blobs.changed))
  })

  test('any of these: the scrub names them, GET and HEAD are errors from then on, and a push heals', async () => {
    await server.daemon.stop()
    const records = await openRecords(join(server.folder, 'data'))
    await records.write((tx) => tx.updateTable('blobs').set({ verified_at: 1 }).execute())
    await records.close()
    server = await startLazaret(stack, { policy: 'observe', after: server, env: { LAZARET_SCRUB_BYTES_PER_SECOND: '1000000000' } })
    send = await sender(server)
    await eventually(async () => {
      const { items } = JSON.parse((await server.api('/damaged')).body.toString()) as { items: { digest: string }[] }
      assert.deepEqual(new Set(items.map(({ digest }) => digest)), new Set(Object.values(blobs).map(sha256)))
    }, 500)
    for (const blob of Object.values(blobs)) {
      assert.equal((await send('GET', pathOf(blob))).status, 500)
      assert.equal((await send('HEAD', pathOf(blob))).status, 404, 'who may push is told to send it again')
      assert.equal((await push(blob)).status, 201)
      const healed = await send('GET', pathOf(blob))
      assert.equal(sha256(Buffer.from(await healed.arrayBuffer())), sha256(blob))
    }
  })

  function push(blob: Buffer): Promise<Response> {
    return send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)
  }

  function pathOf(blob: Buffer): string {
    return `/v2/${repository}/blobs/${sha256(blob)}`
  }

  /** Each has a length of its own, those that were cut too. */
  async function fileOf(blob: Buffer): Promise<string> {
    const entries = await readdir(join(server.folder, 'data', 'blobs'), { recursive: true, withFileTypes: true })
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isFile() && (await stat(path)).size === blob.length) return path
    }
    return assert.fail(`no file of ${blob.length} bytes`)
  }
})
