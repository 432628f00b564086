// A disk that fills up: each step of a push says so, nothing half of it is kept, pulls go on, and after room is made pushes do.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { descriptorOf, sha256 } from '../support/content.ts'
import { type Lazaret, startLazaret } from '../support/lazaret.ts'
import { cannotMount } from '../support/mounts.ts'
import { must } from '../support/run.ts'
import { scratch } from '../support/scratch.ts'
import { lacking } from '../support/tools.ts'
import { lostOf, nothingYet, repository, sender, type Send } from './load.ts'

const MiB = 1024 * 1024
const diskBytes = 96 * MiB
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const skip = lacking('mount', 'umount', 'setpriv') || (await cannotMount())

describe('a full disk', { skip }, () => {
  const stack = new AsyncDisposableStack()
  after(() => stack.disposeAsync())
  let server: Lazaret
  let send: Send
  let disk: string
  const known = nothingYet()

  before(async () => {
    disk = join(await scratch(stack, 'full'), 'disk')
    await mkdir(disk)
    await must('mount', ['-t', 'tmpfs', '-o', `size=${diskBytes}`, 'tmpfs', disk])
    server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_DATA: join(disk, 'data'), LAZARET_DISK_LOW_WATER_BYTES: '0' } })
    send = await sender(server)
    await pushImage('1')
  })

  async function pushImage(tag: string): Promise<void> {
    const layer = randomBytes(100_000)
    const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, tag }))
    for (const blob of [config, layer]) {
      assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)).status, 201)
      known.blobs.set(sha256(blob), blob)
    }
    const manifest = manifestOf(config, layer)
    assert.equal((await send('PUT', `/v2/${repository}/manifests/${tag}`, manifest, manifestType)).status, 201)
    known.manifests.set(sha256(manifest), manifest)
    known.tags.set(tag, new Set([sha256(manifest)]))
  }

  /** Takes all room that is left, but for so many bytes. */
  async function fill(leave = 0): Promise<void> {
    const file = await open(join(disk, 'filler'), 'a')
    try {
      for (const size of [MiB, 4096]) for (let full = false; !full; ) full = !(await written(file.write(Buffer.alloc(size))))
      const { size } = await file.stat()
      if (leave > 0) await truncate(join(disk, 'filler'), Math.max(0, size - leave))
    } finally {
      await file.close()
    }
  }

  async function room(): Promise<void> {
    await rm(join(disk, 'filler'), { force: true })
  }

  async function files(): Promise<string[]> {
    const entries = await readdir(join(disk, 'data', 'blobs'), { recursive: true, withFileTypes: true })
    return entries.flatMap((entry) => (entry.isFile() ? [entry.name] : [])).toSorted()
  }

  test('a blob that finds no room is refused in words, whole or in pieces, and what came of it gives its room back', async () => {
    const stored = await files()
    await fill(3 * MiB)
    const blob = randomBytes(8 * MiB)
    for (let round = 0; round < 3; round++) {
      await refused(await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob))
      assert.deepEqual(await files(), stored, 'nothing half is stored')
    }
    const begun = await send('POST', `/v2/${repository}/blobs/uploads/`)
    assert.equal(begun.status, 202)
    const path = begun.headers.get('location') ?? ''
    assert.equal((await send('PATCH', path, blob.subarray(0, MiB))).status, 202)
    await refused(await send('PATCH', path, blob.subarray(MiB)))
    assert.equal((await send('PUT', `${path}?digest=${sha256(blob)}`)).status, 404, 'the upload has ended')
    assert.deepEqual(await files(), stored)
    assert.equal((await send('GET', `/v2/${repository}/blobs/${sha256(blob)}`)).status, 404)
    await room()
    assert.equal((await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(blob)}`, blob)).status, 201)
    known.blobs.set(sha256(blob), blob)
  })

  test('without any room each step is done or refused in words; pulls go on', async () => {
    await fill()
    const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] }, tag: '1' }))
    const layer = [...known.blobs.values()].find((blob) => blob.length === 100_000) ?? assert.fail()
    const small = randomBytes(20_000)
    await refused(await send('POST', `/v2/${repository}/blobs/uploads/?digest=${sha256(small)}`, small))
    let wasRefused = false
    for (let round = 0; round < 400 && !wasRefused; round++) {
      await fill() // what a checkpoint gave back
      const manifest = manifestOf(config, layer, { annotations: { note: randomBytes(50_000).toString('hex') } })
      const answer = await send('PUT', `/v2/${repository}/manifests/t${round}`, manifest, manifestType)
      if (answer.status === 201) {
        known.manifests.set(sha256(manifest), manifest)
        known.tags.set(`t${round}`, new Set([sha256(manifest)]))
        await answer.arrayBuffer()
        continue
      }
      wasRefused = true
      await refused(answer)
      assert.equal((await send('GET', `/v2/${repository}/manifests/${sha256(manifest)}`)).status, 404, 'a refused manifest is not here')
      assert.equal((await send('GET', `/v2/${repository}/manifests/t${round}`)).status, 404, 'nor its tag')
    }
    assert.equal(wasRefused, true, 'the records were refused room')
    await refused(await send('POST', `/v2/${repository}/blobs/uploads/`))
    await signInsGoOn()
    const user = await server.lazaret(['users', 'add', 'late', '--password-stdin'], { input: 'the-password-of-late' })
    assert.equal(user.code, 1)
    assert.match(user.stderr, /the disk is full: nothing of this was stored/)
    assert.deepEqual(await lostOf(send, known), [], 'pulls go on')
    assert.equal((await fetch(`http://${server.host}/health/ready`)).status, 200, 'a balancer leaves it where it is')
    assert.equal((await fetch(`http://${server.host}/health/live`)).status, 200)
  })

  /** They write nothing at once: the audit rows of what was refused come later. */
  async function signInsGoOn(): Promise<void> {
    const wrong = await fetch(`http://${server.host}/token?service=lazaret`, { headers: basic('guesser', 'wrong') })
    assert.equal(wrong.status, 401)
    const { username, password } = server.developer
    const right = await fetch(`http://${server.host}/token?service=lazaret`, { headers: basic(username, password) })
    assert.equal(right.status, 200)
  }

  test('after room is made pushes work, without a restart and after one', async () => {
    await room()
    await pushImage('after')
    assert.deepEqual(await lostOf(send, known), [])
    const verdict = await server.api(`/verdict?image=${repository}:after&wait=60`)
    assert.doesNotMatch(verdict.body.toString(), /"decision":"pending"/, 'work that found no room is done')
    await server.daemon.stop()
    server = await startLazaret(stack, { policy: 'observe', env: { LAZARET_DATA: join(disk, 'data') }, after: server })
    send = await sender(server)
    const log = await server.api('/audit-log?action=sign-in&limit=100')
    assert.match(log.body.toString(), /"subject":"user:guesser"/, 'what was refused meanwhile is on record')
    assert.equal((await server.lazaret(['audit', 'verify'])).code, 0)
    await pushImage('restarted')
    assert.deepEqual(await lostOf(send, known), [])
    assert.equal((await files()).length, known.blobs.size)
  })
})

function basic(username: string, password: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

function manifestOf(config: Buffer, layer: Buffer, more: object = {}): Buffer {
  const json = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: descriptorOf('application/vnd.oci.image.config.v1+json', config),
    layers: [descriptorOf('application/vnd.oci.image.layer.v1.tar', layer)],
    ...more,
  }
  return Buffer.from(JSON.stringify(json))
}

/** 507, with a code and words. */
async function refused(answer: Response): Promise<void> {
  const text = await answer.text()
  assert.equal(answer.status, 507, text)
  const [problem] = (JSON.parse(text) as { errors: { code: string; message: string }[] }).errors
  assert.equal(problem?.code, 'UNAVAILABLE')
  assert.match(problem?.message ?? '', /^the disk is full: nothing of this was stored/)
}

async function written(writing: Promise<unknown>): Promise<boolean> {
  try {
    await writing
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    return false
  }
}
