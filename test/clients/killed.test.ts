// The server dies in the middle of a push: nothing half is held, and the client's next try ends well.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, LocalImage } from '../support/client.ts'
import { digestsOf } from '../support/content.ts'
import { openCrane } from '../support/crane.ts'
import { onDisk } from '../support/held.ts'
import { imageOf } from '../support/images.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'

const layerBytes = 96 * 1024 * 1024

describe('a server that ends in the middle of a push', { skip: lacking('crane') }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())

  test('killed, started again, pushed again: byte for byte', async () => {
    const { server, client, image } = await openScene()
    const push = client.push(image, `${server.host}/shop/killed:1.0.0`)
    await uploadBegan(server)
    process.kill(server.daemon.pid, 'SIGKILL')
    assert.notEqual((await push).code, 0, 'the push must not end well')
    await server.daemon.stop()

    const again = await startLazaret(stack, { policy: 'observe', after: server })
    const protocol = again.protocol(again.developer)
    assert.equal((await protocol.manifest('shop/killed', '1.0.0')).status, 404)
    const second = await client.push(image, `${again.host}/shop/killed:1.0.0`)
    assert.equal(second.code, 0, second.output)
    assert.deepEqual(digestsOf(await protocol.read('shop/killed', '1.0.0')), digestsOf(image.content))
  })

  test('told to stop with a push under way, it ends by itself in seconds', async () => {
    const { server, client, image } = await openScene()
    const push = client.push(image, `${server.host}/shop/stopped:1.0.0`)
    await uploadBegan(server)
    const asked = Date.now()
    assert.equal(await server.daemon.stop(), 0, server.daemon.log().slice(-2000))
    assert.ok(Date.now() - asked < 12_000, `took ${Date.now() - asked} ms`)
    await push
  })

  async function openScene(): Promise<{ server: Lazaret; client: Client; image: LocalImage }> {
    const server = await startLazaret(stack, { policy: 'observe' })
    const client = await openCrane(stack)
    const login = await client.login(server.host, server.developer)
    assert.equal(login.code, 0, login.output)
    const content = await imageOf([{ 'large.bin': randomBytes(layerBytes) }, { 'small.txt': 'small\n' }], { packing: 'none' })
    return { server, client, image: await onDisk(content, await scratch(stack, 'killed')) }
  }
})

/** Waits until some of the layer has arrived. */
async function uploadBegan(server: Lazaret): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    if ((await bytesBelow(join(server.folder, 'data', 'blobs'))) > 4 * 1024 * 1024) return
    await sleep(10)
  }
  throw new Error('no upload began')
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  // A file may be gone again by the time it is asked for.
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
